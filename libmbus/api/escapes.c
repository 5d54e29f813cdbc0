/*
 * escapes.c - escapes in strings that an application wrote.
 */
#include "escapes.h"

int escapes_check(const struct payload *p, struct span text, struct parse_error *error)
{
        for (size_t i = 0; i < p->values.n; i++) {
                const struct value *v = &p->values.nodes[i];

                for (size_t k = 1; v->type == MBUS_VALUE_STRING && k + 2 < v->raw.n; k++) {
                        char next = v->raw.at[k + 1];

                        if (v->raw.at[k] != '\\')
                                continue;
                        if (next != 'n' && next != '"' && next != '\\')
                                return parse_fail(error, (size_t)(v->raw.at + k - text.at),
                                                  "in a string, \\n, \\\" and \\\\ are known; a "
                                                  "backslash is written \\\\");
                        k++;
                }
        }
        return 0;
}
