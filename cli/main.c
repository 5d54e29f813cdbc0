/*
 * main.c - mbus-cli, the tool for shells and people: parses, runs the verb, says how it went.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exits.h"
#include "text.h"
#include "verb.h"

/* A full disk must not look like success; a reader that went away is no failure. */
static int finish(int status)
{
        if (fflush(stdout) == 0 || errno == EPIPE || status != EXITS_OK)
                return status;
        text_error("cannot write: %s", strerror(errno));
        return EXITS_FAILED;
}

int main(int argc, char **argv)
{
        struct options options;
        int r = options_parse(argc, argv, &options);

        if (r < 0)
                return EXITS_USAGE;
        return finish(r > 0 ? EXITS_OK : options.verb->run(&options));
}
