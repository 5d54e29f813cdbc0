/*
 * verbs.c - the list of verbs.
 */
#include <string.h>

#include <cli/options/verb.h>

const struct verb *const verbs[] = {
        &verb_list, &verb_send,   &verb_subscribe, &verb_monitor,
        &verb_ping, &verb_status, &verb_keygen,    NULL,
};

const struct verb *verb_find(const char *name)
{
        for (size_t i = 0; verbs[i]; i++)
                if (strcmp(verbs[i]->name, name) == 0)
                        return verbs[i];
        return NULL;
}
