/* Drives a fuzz target without libFuzzer: every file of the corpus as it is, then mutations of them
 * from a seed, the same at each run. This is what the tests run by default, with any compiler;
 * `./tests/run --fuzz` searches on with libFuzzer, which knows what each input has reached.
 *
 *   fuzz_X CORPUS RUNS [FROM]    replays CORPUS, then mutations FROM (0) to RUNS; the last line
 *                                says how many, or at which input the program ended
 *
 * A mutation is one to six edits of a corpus file: a bit, a byte, a digit, a word of the formats
 * (numbers at the edges of their types, brackets, separators), a piece deleted, doubled, or taken
 * over from another corpus file, or the end cut off. */
#include <glib.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EDITS_MAX = 6, PIECE_MAX = 64, BYTES_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"0",
                                    "-1",
                                    "1e308",
                                    "-1e-308",
                                    "9223372036854775807",
                                    "4294967296",
                                    "18446744073709551616",
                                    "nan",
                                    "-",
                                    ".5",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    "\"",
                                    ",",
                                    "\n",
                                    ":",
                                    "null",
                                    "true",
                                    "\xff",
                                    "\r\n#",
                                    "=",
                                    "'",
                                    "$",
                                    "\\",
                                    "--",
                                    "/"};

/* The input at hand, for last_words(). */
static char input_name[64];

/* A failed assertion, a bad access, or a sanitizer's abort() ends here. */
static void last_words(int number)
{
    ssize_t written = write(STDERR_FILENO, input_name, strlen(input_name));
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of @folder by name, each as GBytes. */
static GPtrArray *read_corpus(const char *folder)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        char *text = NULL;
        gsize length = 0;
        if (g_file_get_contents(path, &text, &length, NULL))
            g_ptr_array_add(files, g_bytes_new_take(text, length));
    }
    return files;
}

static gsize below(GRand *dice, gsize limit)
{
    return limit ? g_rand_int(dice) % limit : 0;
}

static void edit(GByteArray *input, GRand *dice, GBytes *other)
{
    gsize at = below(dice, input->len), piece = 1 + below(dice, PIECE_MAX), size = 0;
    const guint8 *taken = g_bytes_get_data(other, &size);
    gsize from = below(dice, size);
    const char *word = words[below(dice, G_N_ELEMENTS(words))];
    g_autofree guint8 *doubled = NULL;
    if (input->len == 0)
        return;
    piece = MIN(piece, input->len - at);
    switch (below(dice, 8)) {
    case 0:
        input->data[at] = (guint8)(input->data[at] ^ (1U << below(dice, 8)));
        return;
    case 1:
        input->data[at] = (guint8)g_rand_int(dice);
        return;
    case 2:
        for (; at < input->len && !g_ascii_isdigit(input->data[at]); at++)
            ;
        if (at < input->len)
            input->data[at] = (guint8)('0' + below(dice, 10));
        return;
    case 3:
        g_byte_array_remove_range(input, (guint)at, (guint)piece);
        return;
    case 4:
        taken = doubled = g_memdup2(input->data + at, piece);
        break;
    case 5:
        taken = (const guint8 *)word;
        piece = strlen(word);
        break;
    case 6:
        taken += from;
        piece = MIN(piece, size - from);
        break;
    default:
        g_byte_array_set_size(input, (guint)at);
        return;
    }
    g_autofree guint8 *rest = g_memdup2(input->data + at, input->len - at);
    guint left = input->len - (guint)at;
    g_byte_array_set_size(input, (guint)at);
    g_byte_array_append(input, taken, (guint)piece);
    g_byte_array_append(input, rest, left);
}

/* Mutation @number of @files: of that number alone, so that one run of it repeats it. */
static void mutate(const GPtrArray *files, guint32 number)
{
    GRand *dice = g_rand_new_with_seed(number);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(files->pdata[below(dice, files->len)], &size);
    g_autoptr(GByteArray) input = g_byte_array_new();
    g_byte_array_append(input, data, (guint)MIN(size, BYTES_MAX));
    for (gsize edits = 1 + below(dice, EDITS_MAX); edits > 0; edits--)
        edit(input, dice, files->pdata[below(dice, files->len)]);
    g_rand_free(dice);
    /* A copy of its exact size, so that sanitizers see what reads past its end. */
    g_autofree guint8 *exact = g_memdup2(input->data, MAX(input->len, 1));
    LLVMFuzzerTestOneInput(exact, input->len);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s CORPUS RUNS [FROM]\n", argv[0]);
        return 2;
    }
    g_autoptr(GPtrArray) files = read_corpus(argv[1]);
    if (files->len == 0) {
        fprintf(stderr, "%s: no corpus in %s\n", argv[0], argv[1]);
        return 1;
    }
    signal(SIGABRT, last_words);
#ifndef __SANITIZE_ADDRESS__
    signal(SIGSEGV, last_words);
#endif
    guint64 runs = g_ascii_strtoull(argv[2], NULL, 10);
    guint64 from = argc > 3 ? g_ascii_strtoull(argv[3], NULL, 10) : 0;
    for (guint i = 0; i < files->len; i++) {
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(files->pdata[i], &size);
        g_snprintf(input_name, sizeof input_name, "\nat corpus file %u, by name\n", i);
        LLVMFuzzerTestOneInput(data, size);
    }
    for (guint64 number = from; number < runs; number++) {
        g_snprintf(input_name, sizeof input_name, "\nat mutation %" G_GUINT64_FORMAT "\n", number);
        mutate(files, (guint32)number);
    }
    printf("%u files of %s and %" G_GUINT64_FORMAT " mutations\n", files->len, argv[1],
           runs > from ? runs - from : 0);
    return 0;
}
