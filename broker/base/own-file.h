/*
 * own-file.h - a file that we made and are to remove, in a place where others may come, too.
 *
 * What stands at a path may be somebody else's by now: the directory was removed and made again, a
 * tidy went through it, and our successor has put a socket of his own there. So device and inode
 * are noted, and the file is looked for in the directory that it was made in, whatever the path
 * leads to.
 *
 * The socket that is bound to the file must stay open until the file is removed: as long as it is,
 * no other file can get the same inode.
 *
 * Invariant: there is a name exactly if there is a directory.
 */
#ifndef BROKER_BASE_OWN_FILE_H
#define BROKER_BASE_OWN_FILE_H

#include <stdbool.h>
#include <sys/types.h>

struct own_file {
        int directory; /* -1: there is no file of ours */
        char *name;    /* in the directory */
        dev_t device;
        ino_t inode;
};

#define OWN_FILE_INIT ((struct own_file){ .directory = -1 })

/* What stands at @path is ours: we have just made it. 0 or -errno: then it is not noted. */
int own_file_note(struct own_file *f, const char *path);
/* Whether it is what one finds at @path now. */
bool own_file_is_at(const struct own_file *f, const char *path);
/* Removes it if it is there still, and forgets it. */
void own_file_remove(struct own_file *f);
/* Forgets it, and leaves it where it is. */
void own_file_forget(struct own_file *f);

#endif
