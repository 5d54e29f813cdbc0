/*
 * test-api.c - every public function, found through the shared library as an application finds it.
 *
 * It is linked with nothing but the library that is installed, so a function that libmbus.sym
 * forgets does not link here. tests/lint/check-abi.sh compares this list with mbus.h, libmbus.sym
 * and the man pages.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <mbus/mbus.h>

struct function {
        const char *name;
        void (*address)(void);
};

#define FUNCTION(name)                                                                             \
        {                                                                                          \
#name, (void (*)(void))name                                                        \
        }

static const struct function functions[] = {
        FUNCTION(mbus_error_name),
        FUNCTION(mbus_reason_name),
        FUNCTION(mbus_drop_name),
        FUNCTION(mbus_error_text),
        FUNCTION(mbus_reason_text),
        FUNCTION(mbus_drop_text),
        FUNCTION(mbus_reason_error),
        FUNCTION(mbus_version),
        FUNCTION(mbus_config_new),
        FUNCTION(mbus_config_free),
        FUNCTION(mbus_config_set_url),
        FUNCTION(mbus_config_set_file),
        FUNCTION(mbus_config_set_text),
        FUNCTION(mbus_config_set_patience),
        FUNCTION(mbus_config_get_error),
        FUNCTION(mbus_config_get_warning),
        FUNCTION(mbus_config_get_file),
        FUNCTION(mbus_config_get_text),
        FUNCTION(mbus_config_set_entry),
        FUNCTION(mbus_config_generate),
        FUNCTION(mbus_bus_open),
        FUNCTION(mbus_bus_close),
        FUNCTION(mbus_bus_get_pollfds),
        FUNCTION(mbus_bus_get_deadline),
        FUNCTION(mbus_bus_get_timeout_ms),
        FUNCTION(mbus_bus_get_fd),
        FUNCTION(mbus_bus_process),
        FUNCTION(mbus_bus_wait),
        FUNCTION(mbus_bus_wait_ready),
        FUNCTION(mbus_bus_flush),
        FUNCTION(mbus_bus_resolve),
        FUNCTION(mbus_bus_get_url),
        FUNCTION(mbus_bus_get_error),
        FUNCTION(mbus_bus_get_interface),
        FUNCTION(mbus_bus_get_network),
        FUNCTION(mbus_bus_get_sizes),
        FUNCTION(mbus_bus_get_dropped),
        FUNCTION(mbus_bus_get_warning),
        FUNCTION(mbus_bus_pop_event),
        FUNCTION(mbus_bus_add_entity),
        FUNCTION(mbus_entity_remove),
        FUNCTION(mbus_entity_get_address),
        FUNCTION(mbus_entity_set_data),
        FUNCTION(mbus_entity_get_data),
        FUNCTION(mbus_entity_send),
        FUNCTION(mbus_entity_send_reliable),
        FUNCTION(mbus_entity_send_each),
        FUNCTION(mbus_entity_send_text),
        FUNCTION(mbus_entity_sendf),
        FUNCTION(mbus_entity_sendf_reliable),
        FUNCTION(mbus_entity_ping),
        FUNCTION(mbus_entity_wait),
        FUNCTION(mbus_entity_cancel_wait),
        FUNCTION(mbus_entity_go),
        FUNCTION(mbus_entity_quit),
        FUNCTION(mbus_bus_watch),
        FUNCTION(mbus_peers_new),
        FUNCTION(mbus_peers_free),
        FUNCTION(mbus_peers_get_n),
        FUNCTION(mbus_peers_get_address),
        FUNCTION(mbus_peers_get_age),
        FUNCTION(mbus_observation_new),
        FUNCTION(mbus_observation_free),
        FUNCTION(mbus_observation_set_hello),
        FUNCTION(mbus_observation_add_filter),
        FUNCTION(mbus_bus_observe),
        FUNCTION(mbus_datagram_open),
        FUNCTION(mbus_datagram_seal),
        FUNCTION(mbus_message_ref),
        FUNCTION(mbus_message_unref),
        FUNCTION(mbus_message_get_source),
        FUNCTION(mbus_message_get_destination),
        FUNCTION(mbus_message_get_seq),
        FUNCTION(mbus_message_get_timestamp),
        FUNCTION(mbus_message_is_reliable),
        FUNCTION(mbus_message_get_ack),
        FUNCTION(mbus_message_get_text),
        FUNCTION(mbus_message_get_n_commands),
        FUNCTION(mbus_message_get_command),
        FUNCTION(mbus_message_get_args),
        FUNCTION(mbus_value_get_type),
        FUNCTION(mbus_value_get_integer),
        FUNCTION(mbus_value_get_float),
        FUNCTION(mbus_value_get_text),
        FUNCTION(mbus_value_get_raw),
        FUNCTION(mbus_value_get_n),
        FUNCTION(mbus_value_first),
        FUNCTION(mbus_value_next),
        FUNCTION(mbus_value_scan),
        FUNCTION(mbus_value_check),
        FUNCTION(mbus_commands_new),
        FUNCTION(mbus_commands_free),
        FUNCTION(mbus_commands_clear),
        FUNCTION(mbus_commands_begin),
        FUNCTION(mbus_commands_end),
        FUNCTION(mbus_commands_begin_list),
        FUNCTION(mbus_commands_end_list),
        FUNCTION(mbus_commands_add_integer),
        FUNCTION(mbus_commands_add_float),
        FUNCTION(mbus_commands_add_string),
        FUNCTION(mbus_commands_add_symbol),
        FUNCTION(mbus_commands_add_data),
        FUNCTION(mbus_commands_add_value),
        FUNCTION(mbus_commands_add_text),
        FUNCTION(mbus_commands_addf),
        FUNCTION(mbus_commands_vaddf),
        FUNCTION(mbus_commands_check),
        FUNCTION(mbus_commands_get_error),
        FUNCTION(mbus_commands_get_text),
        FUNCTION(mbus_address_check),
        FUNCTION(mbus_address_check_own),
        FUNCTION(mbus_address_matches),
        FUNCTION(mbus_address_get_element),
};

/* The library as a whole: a message from one bus to another. */
static int exchange(void)
{
        struct mbus_config *config;
        struct mbus_bus *a = NULL, *b = NULL;
        struct mbus_entity *from, *to;
        const struct mbus_event *event = NULL;
        int r = mbus_config_new(&config);

        if (r == 0) {
                mbus_config_set_url(config, "mem:api");
                r = mbus_bus_open(&a, config);
        }
        if (r == 0)
                r = mbus_bus_open(&b, config);
        if (r == 0)
                r = mbus_bus_add_entity(a, "(module:a)", &from);
        if (r == 0)
                r = mbus_bus_add_entity(b, "(module:b)", &to);
        if (r == 0)
                r = mbus_entity_send_text(from, "(module:b)", "hello(1)");
        while (r == 0 && (!event || event->type != MBUS_EVENT_MESSAGE)) {
                r = mbus_bus_wait(b, 10 * INT64_C(1000000000));
                event = mbus_bus_pop_event(b);
        }
        if (r == 0)
                r = strcmp(mbus_message_get_command(event->message, 0), "hello");
        mbus_bus_close(a);
        mbus_bus_close(b);
        mbus_config_free(config);
        return r;
}

int main(void)
{
        size_t i;

        for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
                if (!functions[i].address) {
                        printf("%s is not there\n", functions[i].name);
                        return 1;
                }
        }
        if (mbus_version() != MBUS_VERSION) {
                printf("the library is %#x, its header %#x\n", mbus_version(),
                       (unsigned)MBUS_VERSION);
                return 1;
        }
        return exchange() != 0;
}
