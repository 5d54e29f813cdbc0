/*
 * nearly.c - the distance of Damerau and Levenshtein between two short names.
 */
#include "nearly.h"

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Both have at most NEARLY_MAX letters. */
static unsigned distance(struct span a, struct span b)
{
        unsigned rows[3][NEARLY_MAX + 1];

        for (unsigned j = 0; j <= b.n; j++)
                rows[0][j] = j;
        for (unsigned i = 1; i <= a.n; i++) {
                unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
                         *higher = rows[(i + 1) % 3];

                row[0] = i;
                for (unsigned j = 1; j <= b.n; j++) {
                        unsigned best = above[j - 1] + (lower(a.at[i - 1]) != lower(b.at[j - 1]));

                        if (best > above[j] + 1)
                                best = above[j] + 1;
                        if (best > row[j - 1] + 1)
                                best = row[j - 1] + 1;
                        if (i > 1 && j > 1 && lower(a.at[i - 1]) == lower(b.at[j - 2]) &&
                            lower(a.at[i - 2]) == lower(b.at[j - 1]) && best > higher[j - 2] + 1)
                                best = higher[j - 2] + 1;
                        row[j] = best;
                }
        }
        return rows[a.n % 3][b.n];
}

bool is_nearly(struct span name, const char *known)
{
        struct span other = span_of(known);

        return name.n <= NEARLY_MAX && other.n <= NEARLY_MAX &&
               distance(name, other) <= (other.n > 4 ? 2 : 1);
}
