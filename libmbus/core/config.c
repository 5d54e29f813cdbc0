/*
 * config.c - reads the text of a configuration file (RFC 3259, section 12).
 *
 * The result is built aside and handed out only when all of it is good.
 */
#include "config.h"

#include "config-reader.h"

static int read_lines(struct config_reader *reader, struct span text)
{
        bool begun = false, ours = false;
        unsigned number = 0, last = 1;
        struct span line;
        int error;

        while (config_next_line(&text, &line)) {
                number++;
                line = config_trim(line);
                if (line.n == 0 || line.at[0] == '#')
                        continue;
                if (line.at[0] == '[')
                        ours = span_equal_nocase(line, "[MBUS]");
                if (!begun && !ours)
                        break;
                begun = true;
                if (ours)
                        last = number;
                if (line.at[0] == '[' || !ours)
                        continue;
                error = config_read_entry(reader, number, line);
                if (error)
                        return error;
        }
        if (!begun) {
                reader->line = number > 0 ? number : 1;
                reader->key = span_of("[MBUS]");
                return config_fail(reader, "must be the first line, write it there");
        }
        reader->line = last;
        error = config_check_keys(reader);
        if (error == 0)
                config_warn_of_version(reader);
        return error;
}

int config_parse(struct span text, const char *name, struct config *ret_config,
                 char ret_error[static CONFIG_ERROR_SIZE])
{
        struct config_reader reader = { .name = name, .config = CONFIG_INIT, .error = ret_error };
        int error;

        if (span_begins(text, "\xef\xbb\xbf"))
                text = (struct span){ text.at + 3, text.n - 3 };
        error = read_lines(&reader, text);
        if (error)
                return error;
        *ret_config = reader.config;
        return 0;
}
