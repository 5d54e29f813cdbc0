/*
 * format.c - messages as lines in a format of letters. Several commands of one message stay on one
 * line, separated by "; ".
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "json.h"
#include "text.h"

#define NS_PER_S UINT64_C(1000000000)

const char *output_time(uint64_t time, unsigned digits, char buffer[static OUTPUT_TIME_SIZE])
{
        time_t seconds = (time_t)(time / NS_PER_S);
        struct tm tm;
        char fraction[16];
        size_t n = 0;

        if (gmtime_r(&seconds, &tm))
                n = strftime(buffer, OUTPUT_TIME_SIZE - sizeof(fraction), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(time % NS_PER_S));
        snprintf(buffer + n, OUTPUT_TIME_SIZE - n, "%.*sZ", digits ? (int)digits + 1 : 0, fraction);
        return buffer;
}

/* What the letters print. */
struct output {
        const struct mbus_message *message;
        uint64_t time;
};

static void print_destination(FILE *file, const struct output *o)
{
        text_print(file, mbus_message_get_destination(o->message));
}

static void print_source(FILE *file, const struct output *o)
{
        text_print(file, mbus_message_get_source(o->message));
}

static void print_parameters(FILE *file, const char *text, size_t n)
{
        const char *piece;
        size_t size;

        while ((size = text_next_piece(&text, &n, &piece)))
                text_print_visible(file, piece, size);
}

static void print_commands(FILE *file, const struct output *o, bool names, bool args)
{
        const char *name;

        for (size_t i = 0; (name = mbus_message_get_command(o->message, i)); i++) {
                size_t n;
                const char *raw = mbus_value_get_raw(mbus_message_get_args(o->message, i), &n);

                if (i)
                        fputs("; ", file);
                if (names)
                        fputs(name, file);
                if (args)
                        print_parameters(file, raw, n);
        }
}

static void print_payload(FILE *file, const struct output *o)
{
        print_commands(file, o, true, true);
}

static void print_names(FILE *file, const struct output *o)
{
        print_commands(file, o, true, false);
}

static void print_args(FILE *file, const struct output *o)
{
        print_commands(file, o, false, true);
}

static void print_seq(FILE *file, const struct output *o)
{
        fprintf(file, "%" PRIu32, mbus_message_get_seq(o->message));
}

static void print_type(FILE *file, const struct output *o)
{
        fputc(mbus_message_is_reliable(o->message) ? 'R' : 'U', file);
}

static void print_acks(FILE *file, const struct output *o)
{
        uint32_t seq;

        fputc('(', file);
        for (size_t i = 0; mbus_message_get_ack(o->message, i, &seq); i++)
                fprintf(file, "%s%" PRIu32, i ? " " : "", seq);
        fputc(')', file);
}

static void print_iso(FILE *file, const struct output *o)
{
        char buffer[OUTPUT_TIME_SIZE];

        fputs(output_time(o->time, 3, buffer), file);
}

static void print_epoch(FILE *file, const struct output *o)
{
        fprintf(file, "%" PRIu64 ".%09" PRIu64, o->time / NS_PER_S, o->time % NS_PER_S);
}

static void print_timestamp(FILE *file, const struct output *o)
{
        fprintf(file, "%" PRIu64, mbus_message_get_timestamp(o->message));
}

static void print_bytes(FILE *file, const struct output *o)
{
        size_t n;

        mbus_message_get_text(o->message, &n);
        fprintf(file, "%zu", n);
}

/* A message whose digest was wrong never gets here. */
static void print_mac(FILE *file, const struct output *o)
{
        (void)o;
        fputs("ok", file);
}

static void print_hex(FILE *file, const struct output *o)
{
        size_t n;
        const char *text = mbus_message_get_text(o->message, &n);

        for (size_t i = 0; i < n; i++)
                fprintf(file, "%02x", (unsigned char)text[i]);
}

static void print_json(FILE *file, const struct output *o)
{
        json_print_message(file, o->message, o->time, false);
}

static void print_json_expanded(FILE *file, const struct output *o)
{
        json_print_message(file, o->message, o->time, true);
}

static const struct letter {
        char letter;
        void (*print)(FILE *file, const struct output *o);
        const char *help;
} letters[] = {
        { 't', print_destination, "destination" },
        { 's', print_source, "source" },
        { 'p', print_payload, "commands with their parameters, separated by \"; \"" },
        { 'c', print_names, "names of the commands" },
        { 'a', print_args, "parameters of the commands" },
        { 'n', print_seq, "SeqNum" },
        { 'y', print_type, "R reliable, U unreliable" },
        { 'k', print_acks, "list of acknowledged SeqNums" },
        { 'I', print_iso, "time of receipt, ISO 8601, UTC" },
        { 'U', print_epoch, "time of receipt, seconds since 1970 with nine decimals" },
        { 'T', print_timestamp, "TimeStamp of the sender, ms since 1970" },
        { 'l', print_bytes, "length of the message in octets" },
        { 'm', print_mac, "state of the digest: ok" },
        { 'x', print_hex, "the message in hexadecimal" },
        { 'j', print_json, "JSON object, each command a string" },
        { 'J', print_json_expanded, "JSON object, commands expanded, as -j prints" },
};

static const struct letter *find_letter(char c)
{
        for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
                if (letters[i].letter == c)
                        return &letters[i];
        return NULL;
}

/* What a backslash and @c stand for, or '\0'. */
static char unescape(char c)
{
        return c == 'n' ? '\n' : c == 't' ? '\t' : c == '\\' ? '\\' : '\0';
}

int output_check_format(const char *format, size_t *ret_at, const char **ret_what)
{
        for (const char *p = format; *p; p++) {
                if (*p == '%' && p[1] != '%' && !find_letter(p[1])) {
                        *ret_at = (size_t)(p - format);
                        *ret_what = "no such letter; mbus-cli monitor --help lists them";
                        return -1;
                }
                if (*p == '\\' && !unescape(p[1])) {
                        *ret_at = (size_t)(p - format);
                        *ret_what = "only \\n, \\t and \\\\ are escapes";
                        return -1;
                }
                if (*p == '%' || *p == '\\')
                        p++;
        }
        return 0;
}

void output_print(FILE *file, const char *format, const struct mbus_message *message, uint64_t time)
{
        const struct output output = { .message = message, .time = time };

        for (const char *p = format; *p; p++) {
                const struct letter *letter = *p == '%' ? find_letter(p[1]) : NULL;

                if (letter)
                        letter->print(file, &output);
                else if (*p == '%' || *p == '\\')
                        fputc(*p == '%' ? '%' : unescape(p[1]), file);
                else
                        fputc(*p, file);
                if ((*p == '%' || *p == '\\') && p[1])
                        p++;
        }
        fputc('\n', file);
}

void output_print_letters(FILE *file)
{
        for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
                fprintf(file, "  %%%c   %s\n", letters[i].letter, letters[i].help);
        fputs("  %%   a per cent sign; \\n, \\t and \\\\ are a line end, a tab and a backslash\n",
              file);
}
