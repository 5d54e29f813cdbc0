/*
 * format.c - messages as lines in a format of letters. Several commands of one message stay on one
 * line, separated by "; ".
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "iso8601.h"
#include "json.h"
#include "text.h"

#define NS_PER_S UINT64_C(1000000000)

/* What the letters print. */
struct received {
        const struct mbus_message *message;
        uint64_t time;
};

static void letter_destination(FILE *file, const struct received *received)
{
        text_print(file, mbus_message_get_destination(received->message));
}

static void letter_source(FILE *file, const struct received *received)
{
        text_print(file, mbus_message_get_source(received->message));
}

static void print_parameters(FILE *file, const char *text, size_t n)
{
        const char *piece;
        size_t size;

        while ((size = text_next_piece(&text, &n, &piece)))
                text_print_visible(file, piece, size);
}

static void letter_commands(FILE *file, const struct received *received, bool names, bool args)
{
        const char *name;

        for (size_t i = 0; (name = mbus_message_get_command(received->message, i)); i++) {
                size_t n;
                const char *raw =
                        mbus_value_get_raw(mbus_message_get_args(received->message, i), &n);

                if (i)
                        fputs("; ", file);
                if (names)
                        fputs(name, file);
                if (args)
                        print_parameters(file, raw, n);
        }
}

static void letter_payload(FILE *file, const struct received *received)
{
        letter_commands(file, received, true, true);
}

static void letter_names(FILE *file, const struct received *received)
{
        letter_commands(file, received, true, false);
}

static void letter_args(FILE *file, const struct received *received)
{
        letter_commands(file, received, false, true);
}

static void letter_seq(FILE *file, const struct received *received)
{
        fprintf(file, "%" PRIu32, mbus_message_get_seq(received->message));
}

static void letter_type(FILE *file, const struct received *received)
{
        fputc(mbus_message_is_reliable(received->message) ? 'R' : 'U', file);
}

static void letter_acks(FILE *file, const struct received *received)
{
        uint32_t seq;

        fputc('(', file);
        for (size_t i = 0; mbus_message_get_ack(received->message, i, &seq); i++)
                fprintf(file, "%s%" PRIu32, i ? " " : "", seq);
        fputc(')', file);
}

static void letter_iso(FILE *file, const struct received *received)
{
        char buffer[ISO8601_SIZE];

        fputs(iso8601_format(received->time, 3, buffer), file);
}

static void letter_epoch(FILE *file, const struct received *received)
{
        fprintf(file, "%" PRIu64 ".%09" PRIu64, received->time / NS_PER_S,
                received->time % NS_PER_S);
}

static void letter_timestamp(FILE *file, const struct received *received)
{
        fprintf(file, "%" PRIu64, mbus_message_get_timestamp(received->message));
}

static void letter_bytes(FILE *file, const struct received *received)
{
        size_t n;

        mbus_message_get_text(received->message, &n);
        fprintf(file, "%zu", n);
}

/* A message whose digest was wrong never gets here. */
static void letter_mac(FILE *file, const struct received *received)
{
        (void)received;
        fputs("ok", file);
}

static void letter_hex(FILE *file, const struct received *received)
{
        size_t n;
        const char *text = mbus_message_get_text(received->message, &n);

        for (size_t i = 0; i < n; i++)
                fprintf(file, "%02x", (unsigned char)text[i]);
}

static void letter_json(FILE *file, const struct received *received)
{
        json_print_message(file, received->message, received->time, false);
}

static void letter_json_expanded(FILE *file, const struct received *received)
{
        json_print_message(file, received->message, received->time, true);
}

static const struct letter {
        char letter;
        void (*print)(FILE *file, const struct received *received);
        const char *help;
} letters[] = {
        { 't', letter_destination, "destination" },
        { 's', letter_source, "source" },
        { 'p', letter_payload, "commands with their parameters, separated by \"; \"" },
        { 'c', letter_names, "names of the commands" },
        { 'a', letter_args, "parameters of the commands" },
        { 'n', letter_seq, "SeqNum" },
        { 'y', letter_type, "R reliable, U unreliable" },
        { 'k', letter_acks, "list of acknowledged SeqNums" },
        { 'I', letter_iso, "time of receipt, ISO 8601, UTC" },
        { 'U', letter_epoch, "time of receipt, seconds since 1970 with nine decimals" },
        { 'T', letter_timestamp, "TimeStamp of the sender, ms since 1970" },
        { 'l', letter_bytes, "length of the message in octets" },
        { 'm', letter_mac, "state of the digest: ok" },
        { 'x', letter_hex, "the message in hexadecimal" },
        { 'j', letter_json, "JSON object, each command a string" },
        { 'J', letter_json_expanded, "JSON object, commands expanded, as -j prints" },
};

static const struct letter *find_letter(char c)
{
        for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
                if (letters[i].letter == c)
                        return &letters[i];
        return NULL;
}

/* What a backslash and @c stand for, or '\0'. */
static char format_unescape(char c)
{
        return c == 'n' ? '\n' : c == 't' ? '\t' : c == '\\' ? '\\' : '\0';
}

int format_check(const char *format, size_t *ret_at, const char **ret_what)
{
        for (const char *p = format; *p; p++) {
                if (*p == '%' && p[1] != '%' && !find_letter(p[1])) {
                        *ret_at = (size_t)(p - format);
                        *ret_what = "no such letter; mbus-cli monitor --help lists them";
                        return -1;
                }
                if (*p == '\\' && !format_unescape(p[1])) {
                        *ret_at = (size_t)(p - format);
                        *ret_what = "only \\n, \\t and \\\\ are escapes";
                        return -1;
                }
                if (*p == '%' || *p == '\\')
                        p++;
        }
        return 0;
}

void format_print(FILE *file, const char *format, const struct mbus_message *message, uint64_t time)
{
        const struct received received = { .message = message, .time = time };

        for (const char *p = format; *p; p++) {
                const struct letter *letter = *p == '%' ? find_letter(p[1]) : NULL;

                assert(letter || *p != '%' || p[1] == '%');
                assert(*p != '\\' || format_unescape(p[1]));
                if (letter)
                        letter->print(file, &received);
                else if (*p == '%' || *p == '\\')
                        fputc(*p == '%' ? '%' : format_unescape(p[1]), file);
                else
                        fputc(*p, file);
                if ((*p == '%' || *p == '\\') && p[1])
                        p++;
        }
        fputc('\n', file);
}

void format_print_letters(FILE *file)
{
        for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
                fprintf(file, "  %%%c   %s\n", letters[i].letter, letters[i].help);
        fputs("  %%   a per cent sign; \\n, \\t and \\\\ are a line end, a tab and a backslash\n",
              file);
}
