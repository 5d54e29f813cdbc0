/*
 * json.c - messages, addresses and values as JSON.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <programs/visible.h>

#include "base64.h"
#include "iso8601.h"
#include "json.h"
#include "text.h"

static void json_print_escaped(FILE *file, unsigned character)
{
        switch (character) {
        case '"':
        case '\\':
                fprintf(file, "\\%c", (int)character);
                break;
        case '\n':
                fputs("\\n", file);
                break;
        case '\r':
                fputs("\\r", file);
                break;
        case '\t':
                fputs("\\t", file);
                break;
        default:
                if (character > 0xffff) {
                        /* JSON names what is behind the first plane by two halves. */
                        fprintf(file, "\\u%04x", 0xd7c0 + (character >> 10));
                        character = 0xdc00 | (character & 0x3ff);
                }
                fprintf(file, "\\u%04x", character);
                break;
        }
}

static void json_print_characters(FILE *file, const char *text, size_t n)
{
        while (n) {
                unsigned character = 0xfffd;
                size_t length = visible_decode(text, n, &character);

                if (!length || character == '"' || character == '\\' ||
                    !visible_is_plain(character))
                        json_print_escaped(file, character);
                else
                        fwrite(text, 1, length, file);
                text += length ? length : 1;
                n -= length ? length : 1;
        }
}

void json_print_string(FILE *file, const char *text, size_t n)
{
        fputc('"', file);
        json_print_characters(file, text, n);
        fputc('"', file);
}

struct element {
        size_t tag, tag_n, value, value_n;
};

/* The element that was written first of those from offset @from on: the library gives them in the
 * order of their tags, people know them in the order that the sender chose. */
static bool element_from(const char *address, size_t from, struct element *ret_element)
{
        struct element e, best = { .tag = SIZE_MAX };

        for (size_t i = 0;
             mbus_address_get_element(address, i, &e.tag, &e.tag_n, &e.value, &e.value_n); i++)
                if (e.tag >= from && e.tag < best.tag)
                        best = e;
        if (best.tag == SIZE_MAX)
                return false;
        *ret_element = best;
        return true;
}

void json_print_address(FILE *file, const char *address)
{
        struct element e;

        fputc('{', file);
        for (size_t from = 0; element_from(address, from, &e); from = e.value + e.value_n) {
                if (from)
                        fputc(',', file);
                json_print_string(file, address + e.tag, e.tag_n);
                fputc(':', file);
                json_print_string(file, address + e.value, e.value_n);
        }
        fputc('}', file);
}

static void json_print_integer(FILE *file, const struct mbus_value *value)
{
        int64_t integer;
        const char *raw;
        size_t n;

        if (mbus_value_get_integer(value, &integer) == 0) {
                fprintf(file, "%" PRId64, integer);
                return;
        }
        raw = mbus_value_get_raw(value, &n);
        fputs("{\"int\":", file);
        json_print_string(file, raw, n);
        fputc('}', file);
}

/* The digits as they were written, but for leading zeros, which JSON does not have. */
static void json_print_float(FILE *file, const struct mbus_value *value)
{
        size_t n;
        const char *raw = mbus_value_get_raw(value, &n);

        if (n && *raw == '-') {
                fputc('-', file);
                raw++;
                n--;
        }
        for (; n > 1 && raw[0] == '0' && raw[1] != '.'; raw++)
                n--;
        fwrite(raw, 1, n, file);
}

static void json_print_list(FILE *file, const struct mbus_value *list)
{
        const struct mbus_value *item = mbus_value_first(list);

        fputc('[', file);
        for (; item; item = mbus_value_next(list, item)) {
                if (item != mbus_value_first(list))
                        fputc(',', file);
                json_print_value(file, item);
        }
        fputc(']', file);
}

void json_print_value(FILE *file, const struct mbus_value *value)
{
        size_t n = 0;
        const char *text = mbus_value_get_text(value, &n);

        switch (mbus_value_get_type(value)) {
        case MBUS_VALUE_INTEGER:
                json_print_integer(file, value);
                break;
        case MBUS_VALUE_FLOAT:
                json_print_float(file, value);
                break;
        case MBUS_VALUE_LIST:
                json_print_list(file, value);
                break;
        case MBUS_VALUE_STRING:
                json_print_string(file, text, n);
                break;
        case MBUS_VALUE_SYMBOL:
                fputs("{\"sym\":", file);
                json_print_string(file, text, n);
                fputc('}', file);
                break;
        case MBUS_VALUE_DATA:
                fputs("{\"data\":\"", file);
                base64_print(file, text, n);
                fputs("\"}", file);
                break;
        default:
                fputs("null", file);
                break;
        }
}

static void json_print_acks(FILE *file, const struct mbus_message *message)
{
        uint32_t seq;

        for (size_t i = 0; mbus_message_get_ack(message, i, &seq); i++)
                fprintf(file, "%s%" PRIu32, i ? "," : "", seq);
}

static void json_print_command(FILE *file, const struct mbus_message *message, size_t i,
                               bool expand)
{
        const char *name = mbus_message_get_command(message, i);
        const struct mbus_value *args = mbus_message_get_args(message, i);
        size_t n, size;
        const char *raw = mbus_value_get_raw(args, &n), *piece;

        if (expand) {
                fputs("{\"name\":", file);
                json_print_string(file, name, strlen(name));
                fputs(",\"args\":", file);
                json_print_value(file, args);
                fputc('}', file);
                return;
        }
        fprintf(file, "\"%s", name); /* letters, digits, "-", "_" and "." */
        while ((size = text_next_piece(&raw, &n, &piece)))
                json_print_characters(file, piece, size);
        fputc('"', file);
}

void json_print_message(FILE *file, const struct mbus_message *message, uint64_t time, bool expand)
{
        char iso[ISO8601_SIZE];
        size_t bytes;

        mbus_message_get_text(message, &bytes);
        fprintf(file, "{\"time\":\"%s\"", iso8601_format(time, 6, iso));
        fprintf(file, ",\"seq\":%" PRIu32, mbus_message_get_seq(message));
        fprintf(file, ",\"ts\":%" PRIu64, mbus_message_get_timestamp(message));
        fprintf(file, ",\"type\":\"%s\"", mbus_message_is_reliable(message) ? "R" : "U");
        fputs(",\"src\":", file);
        json_print_address(file, mbus_message_get_source(message));
        fputs(",\"dst\":", file);
        json_print_address(file, mbus_message_get_destination(message));
        fputs(",\"acks\":[", file);
        json_print_acks(file, message);
        fputs("],\"cmds\":[", file);
        for (size_t i = 0; i < mbus_message_get_n_commands(message); i++) {
                if (i)
                        fputc(',', file);
                json_print_command(file, message, i, expand);
        }
        fprintf(file, "],\"mac\":\"ok\",\"bytes\":%zu}", bytes);
}

void json_print_lost(FILE *file, uint64_t n, const char *cause)
{
        char iso[ISO8601_SIZE];
        struct timespec now = { 0 };

        clock_gettime(CLOCK_REALTIME, &now);
        fprintf(file, "{\"time\":\"%s\",\"lost\":%" PRIu64 ",\"cause\":\"%s\"}",
                iso8601_format((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, 6, iso),
                n, cause);
}
