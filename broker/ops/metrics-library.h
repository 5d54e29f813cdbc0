/*
 * metrics-library.h - libmicrohttpd, loaded when metrics are asked for.
 *
 * With the TLS library behind it it takes about as much memory as all the rest of an idle broker,
 * and nearly all brokers run without metrics; so the program is not linked with it.
 */
#ifndef BROKER_OPS_METRICS_LIBRARY_H
#define BROKER_OPS_METRICS_LIBRARY_H

#include <microhttpd.h>

/* The functions that metrics.c calls, under their names without "MHD_". */
struct mhd {
        __typeof__(MHD_start_daemon) *start_daemon;
        __typeof__(MHD_stop_daemon) *stop_daemon;
        __typeof__(MHD_add_connection) *add_connection;
        __typeof__(MHD_run) *run;
        __typeof__(MHD_get_timeout) *get_timeout;
        __typeof__(MHD_get_daemon_info) *get_daemon_info;
        __typeof__(MHD_create_response_from_buffer) *create_response_from_buffer;
        __typeof__(MHD_add_response_header) *add_response_header;
        __typeof__(MHD_queue_response) *queue_response;
        __typeof__(MHD_destroy_response) *destroy_response;
};

/* Loads the library, which stays for as long as the process lives: TLS libraries cannot be taken
 * out safely. 0, or -ENOENT with the reason in *@ret_error, which holds until dlopen() is called
 * again. */
int mhd_load(struct mhd *ret_mhd, const char **ret_error);

#endif
