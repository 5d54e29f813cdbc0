/*
 * runtime-dir.h - the directory of this user's own sockets, $XDG_RUNTIME_DIR.
 *
 * The variable is inherited: after su(1) or sudo(8) it names the directory of somebody else, in a
 * container perhaps /tmp. A socket there is not the user's own, and whoever can write there can put
 * one there that hears everything. So the directory counts only if it is a directory of this user,
 * that nobody else can write.
 */
#ifndef MBUS_IO_RUNTIME_DIR_H
#define MBUS_IO_RUNTIME_DIR_H

#define RUNTIME_DIR_ERROR_SIZE 256

/*
 * The directory, in the environment's memory. NULL: the variable is not set, or this is root, whose
 * sockets are the system's; or it does not count, which @ret_error then says in a line, without how
 * to mend it ("" else).
 */
const char *runtime_dir_get(char ret_error[static RUNTIME_DIR_ERROR_SIZE]);

#endif
