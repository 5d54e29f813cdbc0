/*
 * main.c - mbus-cli, the tool for shells and people: parses, runs the verb, says how it went.
 */
#include <errno.h>
#include <stdbool.h>

#include <cli/options/options.h>
#include <cli/run/exits.h>
#include <cli/text/text.h>
#include <cli/verbs/verbs.h>
#include <programs/inherited.h>
#include <programs/streams.h>

/* A full disk must not look like success; a reader that went away is no failure. */
static int finish_output(int status)
{
        bool written = streams_finish("mbus-cli");

        if (streams_error() == EINTR && streams_ended)
                return EXITS_SIGNAL + streams_ended;
        return !written && (status == EXITS_OK || status == EXITS_TIMED_OUT) ? EXITS_FAILED
                                                                             : status;
}

/* What the broker said was missing is one thing; a verb may take several. */
static int run_verb(const struct options *options)
{
        const struct verb *verb = options->verb;
        int status = verb->run(options);

        if (status == EXITS_DENIED && verb->needs)
                text_error("mbus-cli %s takes %s", verb->name, verb->needs);
        return status;
}

int main(int argc, char **argv)
{
        struct options options;
        int r;

        if (argc < 1 || !inherited_begin())
                return EXITS_FAILED;
        streams_begin();
        r = options_parse(verbs, argc, argv, &options);
        if (r < 0)
                return EXITS_USAGE;
        return finish_output(r > 0 ? EXITS_OK : run_verb(&options));
}
