/*
 * test-null.c - every public function with NULL for each of its pointers, and with numbers that name
 * nothing: an answer that mbus.h promises, and no crash. Once in the process that opened the bus, once
 * in a child of it, where the bus is another's but the rest is as good as before.
 *
 * tests/lint/check-abi.sh finds each function of mbus.h that takes a pointer in here.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mbus/mbus.h>

static struct mbus_bus *bus;
static struct mbus_entity *me;
static struct mbus_commands *commands;
static struct mbus_config *config;
static struct mbus_observation *observation;
static struct mbus_peers *peers;
static struct mbus_message *message;
static const struct mbus_value *list, *item;
static unsigned n_failed;

static void expect(bool right, const char *what, int line)
{
        if (right)
                return;
        n_failed++;
        printf("%s:%d: not so: %s\n", __FILE__, line, what);
}

#define EXPECT(condition) expect(condition, #condition, __LINE__)
/* An int function refuses, and says what is wrong first. */
#define MALFORMED(call) EXPECT((call) == MBUS_E_MALFORMED)
/* The same where the bus comes first. */
#define REFUSED(call) EXPECT((call) == (is_child ? -ECHILD : MBUS_E_MALFORMED))
/* Nothing but that it comes back. */
#define IGNORED(call)                                                                              \
        do {                                                                                       \
                call;                                                                              \
        } while (0)

static void test_names(void)
{
        EXPECT(strcmp(mbus_error_name(INT_MAX), "unknown") == 0);
        EXPECT(mbus_error_name(INT_MIN) != NULL && mbus_error_name(-1) != NULL);
        EXPECT(strcmp(mbus_reason_name((enum mbus_reason) - 1), "unknown") == 0);
        EXPECT(strcmp(mbus_reason_name(MBUS_REASON_MAX), "unknown") == 0);
        EXPECT(strcmp(mbus_drop_name((enum mbus_drop) - 1), "unknown") == 0);
        EXPECT(strcmp(mbus_drop_name(MBUS_DROP_MAX), "unknown") == 0);
        EXPECT(mbus_error_text(INT_MAX) != NULL && mbus_error_text(INT_MIN) != NULL);
        EXPECT(mbus_reason_text((enum mbus_reason) - 1) != NULL);
        EXPECT(mbus_drop_text((enum mbus_drop) - 1) != NULL);
        MALFORMED(mbus_reason_error((enum mbus_reason) - 1));
}

static void test_config(void)
{
        MALFORMED(mbus_config_new(NULL));
        EXPECT(mbus_config_free(NULL) == NULL);
        IGNORED(mbus_config_set_url(NULL, "udp:"));
        IGNORED(mbus_config_set_url(config, NULL));
        IGNORED(mbus_config_set_file(NULL, "/"));
        IGNORED(mbus_config_set_file(config, NULL));
        IGNORED(mbus_config_set_text(NULL, ""));
        IGNORED(mbus_config_set_text(config, NULL));
        IGNORED(mbus_config_set_patience(NULL, 0));
        IGNORED(mbus_config_set_entry(NULL, "SCOPE", "HOSTLOCAL"));
        IGNORED(mbus_config_set_entry(config, NULL, "HOSTLOCAL"));
        IGNORED(mbus_config_set_entry(config, "SCOPE", NULL));
        EXPECT(mbus_config_get_file(NULL) == NULL);
        EXPECT(mbus_config_get_text(NULL) == NULL);
        MALFORMED(mbus_config_generate(NULL, MBUS_GENERATE_TEXT));
        EXPECT(strcmp(mbus_config_get_error(NULL), "") == 0);
        EXPECT(mbus_config_get_warning(NULL, 0) == NULL);
        EXPECT(mbus_config_get_warning(config, SIZE_MAX) == NULL);
}

static void test_bus(bool is_child)
{
        struct pollfd fds[MBUS_POLLFDS_MAX];
        size_t n;
        int fd;

        MALFORMED(mbus_bus_open(NULL, config));
        EXPECT(mbus_bus_close(NULL) == NULL);
        MALFORMED(mbus_bus_get_pollfds(NULL, fds, MBUS_POLLFDS_MAX, &n));
        REFUSED(mbus_bus_get_pollfds(bus, NULL, MBUS_POLLFDS_MAX, &n));
        REFUSED(mbus_bus_get_pollfds(bus, fds, MBUS_POLLFDS_MAX, NULL));
        EXPECT(mbus_bus_get_pollfds(bus, NULL, 0, &n) == (is_child ? -ECHILD : MBUS_E_FULL));
        EXPECT(mbus_bus_get_deadline(NULL) == UINT64_MAX);
        EXPECT(mbus_bus_get_timeout_ms(NULL) == -1);
        EXPECT(mbus_bus_get_timeout_ms(bus) >= -1);
        MALFORMED(mbus_bus_get_fd(NULL, &fd));
        REFUSED(mbus_bus_get_fd(bus, NULL));
        MALFORMED(mbus_bus_process(NULL));
        MALFORMED(mbus_bus_wait(NULL, -1));
        MALFORMED(mbus_bus_wait_ready(NULL, -1));
        EXPECT(mbus_bus_wait_ready(me, -1) == (is_child ? -ECHILD : 0));
        /* A positive answer is a number of messages. */
        EXPECT(mbus_bus_flush(NULL, -1) == -EINVAL);
        MALFORMED(mbus_bus_resolve(NULL));
        EXPECT(mbus_bus_resolve(bus) == (is_child ? -ECHILD : 0));
        EXPECT(mbus_bus_get_url(NULL) == NULL);
        EXPECT(strcmp(mbus_bus_get_error(NULL), "") == 0);
        mbus_bus_get_sizes(NULL, NULL, NULL);
        EXPECT(mbus_bus_get_interface(NULL) == NULL);
        EXPECT(mbus_bus_get_network(NULL, MBUS_NETWORK_MUTE) == NULL);
        EXPECT(mbus_bus_get_network(bus, MBUS_NETWORK_MAX) == NULL);
        EXPECT(mbus_bus_get_dropped(NULL, MBUS_DROP_SHORT) == 0);
        EXPECT(mbus_bus_get_dropped(bus, MBUS_DROP_MAX) == 0);
        EXPECT(mbus_bus_get_dropped(bus, (enum mbus_drop) - 1) == 0);
        EXPECT(mbus_bus_get_warning(NULL, 0) == NULL);
        EXPECT(mbus_bus_get_warning(bus, SIZE_MAX) == NULL);
        EXPECT(mbus_bus_pop_event(NULL) == NULL);
        MALFORMED(mbus_bus_watch(NULL, "()"));
        REFUSED(mbus_bus_watch(bus, NULL));
        MALFORMED(mbus_bus_observe(NULL, observation));
        EXPECT(mbus_bus_observe(bus, NULL) == (is_child ? -ECHILD : 0));
}

static void test_entity(bool is_child)
{
        struct mbus_entity *entity = NULL;
        uint64_t ticket;
        size_t n;

        MALFORMED(mbus_bus_add_entity(NULL, "(app:x)", &entity));
        REFUSED(mbus_bus_add_entity(bus, NULL, &entity));
        REFUSED(mbus_bus_add_entity(bus, "(app:x)", NULL));
        EXPECT(entity == NULL);
        EXPECT(mbus_entity_remove(NULL) == NULL);
        EXPECT(mbus_entity_get_address(NULL) == NULL);
        IGNORED(mbus_entity_set_data(NULL, &n));
        IGNORED(mbus_entity_set_data(me, NULL));
        EXPECT(mbus_entity_get_data(NULL) == NULL);
        MALFORMED(mbus_entity_send(NULL, "()", commands));
        REFUSED(mbus_entity_send(me, NULL, commands));
        REFUSED(mbus_entity_send(me, "()", NULL));
        MALFORMED(mbus_entity_send_reliable(NULL, "()", commands, &ticket));
        REFUSED(mbus_entity_send_reliable(me, NULL, commands, &ticket));
        REFUSED(mbus_entity_send_reliable(me, "()", NULL, &ticket));
        REFUSED(mbus_entity_send_reliable(me, "()", commands, NULL));
        MALFORMED(mbus_entity_send_each(NULL, "()", commands, &ticket, 1, &n));
        REFUSED(mbus_entity_send_each(me, NULL, commands, &ticket, 1, &n));
        REFUSED(mbus_entity_send_each(me, "()", NULL, &ticket, 1, &n));
        REFUSED(mbus_entity_send_each(me, "()", commands, NULL, 1, &n));
        REFUSED(mbus_entity_send_each(me, "()", commands, &ticket, 1, NULL));
        EXPECT(mbus_entity_send_each(me, "(app:nobody)", commands, NULL, 0, &n) ==
               (is_child ? -ECHILD : 0));
        MALFORMED(mbus_entity_send_text(NULL, "()", "a()"));
        REFUSED(mbus_entity_send_text(me, NULL, "a()"));
        REFUSED(mbus_entity_send_text(me, "()", NULL));
        MALFORMED(mbus_entity_sendf(NULL, "()", "a()"));
        REFUSED(mbus_entity_sendf(me, NULL, "a()"));
        REFUSED(mbus_entity_sendf(me, "()", NULL));
        MALFORMED(mbus_entity_sendf_reliable(NULL, "()", &ticket, "a()"));
        REFUSED(mbus_entity_sendf_reliable(me, NULL, &ticket, "a()"));
        REFUSED(mbus_entity_sendf_reliable(me, "()", NULL, "a()"));
        REFUSED(mbus_entity_sendf_reliable(me, "()", &ticket, NULL));
        MALFORMED(mbus_entity_ping(NULL, "()"));
        REFUSED(mbus_entity_ping(me, NULL));
        MALFORMED(mbus_entity_wait(NULL, "()", "x", 0));
        REFUSED(mbus_entity_wait(me, NULL, "x", 0));
        REFUSED(mbus_entity_wait(me, "()", NULL, 0));
        MALFORMED(mbus_entity_cancel_wait(NULL, "x"));
        REFUSED(mbus_entity_cancel_wait(me, NULL));
        MALFORMED(mbus_entity_go(NULL, "()", "x", &ticket));
        REFUSED(mbus_entity_go(me, NULL, "x", &ticket));
        REFUSED(mbus_entity_go(me, "()", NULL, &ticket));
        REFUSED(mbus_entity_go(me, "()", "x", NULL));
        MALFORMED(mbus_entity_quit(NULL, "()", &ticket));
        REFUSED(mbus_entity_quit(me, NULL, NULL));
        EXPECT(mbus_entity_quit(me, "(app:nobody)", NULL) == (is_child ? -ECHILD : 0));
}

static void test_peers_and_observation(bool is_child)
{
        struct mbus_peers *others = NULL;

        MALFORMED(mbus_peers_new(NULL, "()", &others));
        REFUSED(mbus_peers_new(bus, NULL, &others));
        REFUSED(mbus_peers_new(bus, "()", NULL));
        EXPECT(others == NULL);
        EXPECT(mbus_peers_free(NULL) == NULL);
        EXPECT(mbus_peers_get_n(NULL) == 0);
        EXPECT(mbus_peers_get_address(NULL, 0) == NULL);
        EXPECT(mbus_peers_get_address(peers, SIZE_MAX) == NULL);
        EXPECT(mbus_peers_get_age(NULL, 0) == 0);
        EXPECT(mbus_peers_get_age(peers, SIZE_MAX) == 0);
        MALFORMED(mbus_observation_new(NULL));
        EXPECT(mbus_observation_free(NULL) == NULL);
        IGNORED(mbus_observation_set_hello(NULL, true));
        IGNORED(mbus_observation_add_filter(NULL, "()", "a", "main"));
        IGNORED(mbus_observation_add_filter(observation, NULL, NULL, NULL));
}

static void test_message(void)
{
        uint32_t seq;
        size_t n;

        EXPECT(mbus_message_ref(NULL) == NULL);
        EXPECT(mbus_message_unref(NULL) == NULL);
        EXPECT(mbus_message_get_source(NULL) == NULL);
        EXPECT(mbus_message_get_destination(NULL) == NULL);
        EXPECT(mbus_message_get_seq(NULL) == 0);
        EXPECT(mbus_message_get_timestamp(NULL) == 0);
        EXPECT(!mbus_message_is_reliable(NULL));
        EXPECT(!mbus_message_get_ack(NULL, 0, &seq));
        EXPECT(!mbus_message_get_ack(message, 0, NULL));
        EXPECT(!mbus_message_get_ack(message, SIZE_MAX, &seq));
        EXPECT(mbus_message_get_text(NULL, &n) == NULL);
        EXPECT(mbus_message_get_text(message, NULL) != NULL);
        EXPECT(mbus_message_get_n_commands(NULL) == 0);
        EXPECT(mbus_message_get_command(NULL, 0) == NULL);
        EXPECT(mbus_message_get_command(message, SIZE_MAX) == NULL);
        EXPECT(mbus_message_get_args(NULL, 0) == NULL);
        EXPECT(mbus_message_get_args(message, SIZE_MAX) == NULL);
}

static void test_datagram(void)
{
        struct mbus_message *opened = NULL;
        char octets[64] = "";
        size_t n;

        MALFORMED(mbus_datagram_open(NULL, octets, 1, &opened, NULL, NULL));
        MALFORMED(mbus_datagram_open(config, NULL, 1, &opened, NULL, NULL));
        MALFORMED(mbus_datagram_open(config, octets, 1, NULL, NULL, NULL));
        EXPECT(opened == NULL);
        MALFORMED(mbus_datagram_seal(NULL, "x", 1, octets, sizeof(octets), &n));
        MALFORMED(mbus_datagram_seal(config, NULL, 1, octets, sizeof(octets), &n));
        MALFORMED(mbus_datagram_seal(config, "x", 1, NULL, sizeof(octets), &n));
        MALFORMED(mbus_datagram_seal(config, "x", 1, octets, sizeof(octets), NULL));
}

static void test_value(void)
{
        int64_t integer;
        double real;
        size_t n;

        EXPECT(mbus_value_get_type(NULL) == MBUS_VALUE_MAX);
        MALFORMED(mbus_value_get_integer(NULL, &integer));
        MALFORMED(mbus_value_get_integer(item, NULL));
        MALFORMED(mbus_value_get_float(NULL, &real));
        MALFORMED(mbus_value_get_float(item, NULL));
        EXPECT(mbus_value_get_text(NULL, &n) == NULL);
        EXPECT(mbus_value_get_text(mbus_value_next(list, item), NULL) != NULL);
        EXPECT(mbus_value_get_raw(NULL, &n) == NULL);
        EXPECT(mbus_value_get_raw(item, NULL) != NULL);
        EXPECT(mbus_value_get_n(NULL) == 0);
        EXPECT(mbus_value_get_n(item) == 0);
        EXPECT(mbus_value_first(NULL) == NULL);
        EXPECT(mbus_value_first(item) == NULL);
        EXPECT(mbus_value_next(NULL, item) == NULL);
        EXPECT(mbus_value_next(list, NULL) == NULL);
        MALFORMED(mbus_value_scan(NULL, "i", &integer));
        MALFORMED(mbus_value_scan(list, NULL));
        MALFORMED(mbus_value_scan(item, "i", &integer));
        EXPECT(mbus_value_scan(list, "i y", NULL, NULL) == 0);
        EXPECT(mbus_value_scan(list, "i *", NULL, NULL, NULL) == 0);
        EXPECT(mbus_value_scan(list, "d *", NULL, NULL, NULL, NULL) == MBUS_E_TYPE);
        MALFORMED(mbus_value_check(NULL, "i", NULL, NULL, NULL));
        MALFORMED(mbus_value_check(list, NULL, &n, &n, NULL));
        EXPECT(mbus_value_check(list, "i", NULL, NULL, NULL) == MBUS_E_TYPE);
}

/* What @add makes of a payload in which a command is open. */
static int mistake(void (*add)(struct mbus_commands *))
{
        struct mbus_commands *c = NULL;
        int r = mbus_commands_new(&c);

        if (r == 0) {
                mbus_commands_begin(c, "a");
                add(c);
                mbus_commands_end(c);
                r = mbus_commands_check(c);
        }
        mbus_commands_free(c);
        return r;
}

static void begin_null(struct mbus_commands *c)
{
        mbus_commands_end(c);
        mbus_commands_begin(c, NULL);
}

static void string_null(struct mbus_commands *c)
{
        mbus_commands_add_string(c, NULL);
}

static void symbol_null(struct mbus_commands *c)
{
        mbus_commands_add_symbol(c, NULL);
}

static void data_null(struct mbus_commands *c)
{
        mbus_commands_add_data(c, NULL, 1);
}

static void data_empty(struct mbus_commands *c)
{
        mbus_commands_add_data(c, NULL, 0);
}

static void value_null(struct mbus_commands *c)
{
        mbus_commands_add_value(c, NULL);
}

static void text_null(struct mbus_commands *c)
{
        size_t at = 77;
        const char *what = NULL;

        mbus_commands_end(c);
        MALFORMED(mbus_commands_add_text(c, NULL, &at, &what));
        EXPECT(at == 0 && what != NULL);
}

static void text_wrong(struct mbus_commands *c)
{
        mbus_commands_end(c);
        MALFORMED(mbus_commands_add_text(c, "a(", NULL, NULL));
}

static int addf(struct mbus_commands *c, const char *format, ...)
{
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = mbus_commands_vaddf(c, format, arguments);
        va_end(arguments);
        return r;
}

static void format_null(struct mbus_commands *c)
{
        MALFORMED(addf(NULL, NULL));
        MALFORMED(addf(c, NULL));
}

static void format_text_null(struct mbus_commands *c)
{
        MALFORMED(addf(c, "%s", (const char *)NULL));
}

static void test_commands(void)
{
        size_t at;
        const char *what;

        MALFORMED(mbus_commands_new(NULL));
        EXPECT(mbus_commands_free(NULL) == NULL);
        IGNORED(mbus_commands_clear(NULL));
        IGNORED(mbus_commands_begin(NULL, "a"));
        IGNORED(mbus_commands_end(NULL));
        IGNORED(mbus_commands_begin_list(NULL));
        IGNORED(mbus_commands_end_list(NULL));
        IGNORED(mbus_commands_add_integer(NULL, 1));
        IGNORED(mbus_commands_add_float(NULL, 1));
        IGNORED(mbus_commands_add_string(NULL, "a"));
        IGNORED(mbus_commands_add_symbol(NULL, "a"));
        IGNORED(mbus_commands_add_data(NULL, "a", 1));
        IGNORED(mbus_commands_add_value(NULL, item));
        MALFORMED(mbus_commands_add_text(NULL, "a()", &at, &what));
        MALFORMED(mbus_commands_addf(NULL, "a()"));
        MALFORMED(mistake(format_null));
        MALFORMED(mistake(format_text_null));
        EXPECT(strcmp(mbus_commands_get_error(NULL, &at), "") == 0 && at == 0);
        EXPECT(strcmp(mbus_commands_get_error(commands, NULL), "") == 0);
        MALFORMED(mbus_commands_check(NULL));
        EXPECT(strcmp(mbus_commands_get_text(NULL), "") == 0);
        MALFORMED(mistake(begin_null));
        MALFORMED(mistake(string_null));
        MALFORMED(mistake(symbol_null));
        MALFORMED(mistake(data_null));
        EXPECT(mistake(data_empty) == 0);
        MALFORMED(mistake(value_null));
        MALFORMED(mistake(text_null));
        MALFORMED(mistake(text_wrong));
}

static void test_address(void)
{
        size_t at = 77, tag, tag_n, value, value_n;
        const char *what = NULL;

        MALFORMED(mbus_address_check(NULL, &at, &what));
        EXPECT(at == 0 && what != NULL);
        MALFORMED(mbus_address_check("(", NULL, NULL));
        MALFORMED(mbus_address_check_own(NULL, &at, &what));
        MALFORMED(mbus_address_check_own("(id:7)", NULL, NULL));
        EXPECT(!mbus_address_matches(NULL, "()"));
        EXPECT(!mbus_address_matches("()", NULL));
        EXPECT(!mbus_address_get_element(NULL, 0, &tag, &tag_n, &value, &value_n));
        EXPECT(!mbus_address_get_element("(a:b)", SIZE_MAX, &tag, &tag_n, &value, &value_n));
        EXPECT(mbus_address_get_element("(a:b)", 0, NULL, NULL, NULL, NULL));
}

static void test_all(bool is_child)
{
        test_names();
        test_config();
        test_bus(is_child);
        test_entity(is_child);
        test_peers_and_observation(is_child);
        test_message();
        test_datagram();
        test_value();
        test_commands();
        test_address();
}

static int prepare(void)
{
        const struct mbus_event *event;
        int r = mbus_config_new(&config);

        if (r == 0) {
                mbus_config_set_url(config, "mem:null");
                r = mbus_bus_open(&bus, config);
        }
        if (r == 0)
                r = mbus_bus_add_entity(bus, "(app:null)", &me);
        if (r == 0)
                r = mbus_bus_observe(bus, NULL);
        if (r == 0)
                r = mbus_entity_send_text(me, "()", "first(1 two)");
        do {
                r = r ? r : mbus_bus_wait(bus, 10 * INT64_C(1000000000));
                event = r ? NULL : mbus_bus_pop_event(bus);
        } while (r == 0 && event->type != MBUS_EVENT_OBSERVED);
        if (r)
                return r;
        message = mbus_message_ref(event->message);
        list = mbus_message_get_args(message, 0);
        item = mbus_value_first(list);
        r = mbus_commands_new(&commands);
        if (r == 0)
                r = mbus_commands_add_text(commands, "a()", NULL, NULL);
        if (r == 0)
                r = mbus_observation_new(&observation);
        return r ? r : mbus_peers_new(bus, "()", &peers);
}

static void forget(void)
{
        mbus_message_unref(message);
        mbus_peers_free(peers);
        mbus_observation_free(observation);
        mbus_commands_free(commands);
        mbus_bus_close(bus);
        mbus_config_free(config);
}

int main(void)
{
        int status = 0, r = prepare();
        pid_t child;

        if (r) {
                printf("not prepared: %s\n", mbus_error_name(r));
                return 1;
        }
        test_all(false);
        fflush(stdout);
        child = fork();
        if (child == 0) {
                n_failed = 0;
                test_all(true);
                forget();
                return n_failed ? 2 : 0;
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
                printf("the child's status is %#x\n", (unsigned)status);
                n_failed++;
        }
        forget();
        return n_failed ? 1 : 0;
}
