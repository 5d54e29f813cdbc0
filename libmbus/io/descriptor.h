/*
 * descriptor.h - descriptors that keep clear of standard input, output and error.
 *
 * An application may have closed these. A socket of the bus that got the number 1 would send to the
 * network whatever the application, or another library in it, prints.
 */
#ifndef MBUS_IO_DESCRIPTOR_H
#define MBUS_IO_DESCRIPTOR_H

/* @fd if it is above 2 or -1, else the same open file by a number that is, closed on exec. -1 with
 * errno, and @fd is closed, if there is none. */
int descriptor_apart(int fd);

#endif
