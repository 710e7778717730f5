/*
 * Nodes of an execution trace that are replayed in a second of processor time, from the bytes of the files to the
 * accounts: a transformer on many ranks, in tensor groups of 8, with closed forms and on the fluid
 * network. With --quick, a small one. With --write DIR, the files of 16 ranks with 4 layers instead,
 * DIR/transformer.0.et and so on (those under scenarios/training/traces). Exits 1 when a replay fails.
 */
#include "toy_et.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TENSOR = 8 };

static int write_files(const char *folder)
{
    for (uint32_t rank = 0; rank < 16; rank++) {
        g_autofree char *path = g_strdup_printf("%s/transformer.%u.et", folder, rank);
        g_autoptr(GByteArray) file = toy_et_transformer(rank, 16, TENSOR, 4);
        g_autoptr(GError) error = NULL;
        if (g_file_set_contents(path, (const char *)file->data, file->len, &error))
            continue;
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    return 0;
}

static bool time_replay(const char *network, uint32_t ranks, uint32_t layers)
{
    g_autofree GByteArray **files = g_new(GByteArray *, ranks);
    g_autofree char *more = g_strdup_printf("network: %s\n", network);
    g_autoptr(ScenScenario) scenario = toy_et_scenario((int)ranks, "compute: roofline", more);
    g_autoptr(GError) error = NULL;
    gsize bytes = 0;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        files[rank] = toy_et_transformer(rank, ranks, TENSOR, layers);
        bytes += files[rank]->len;
    }
    clock_t since = clock();
    g_autoptr(StratEtResult) result = toy_et_replay(scenario, files, ranks, &error);
    double took_s = (double)(clock() - since) / CLOCKS_PER_SEC;
    for (uint32_t rank = 0; rank < ranks; rank++)
        g_byte_array_unref(files[rank]);
    if (!result) {
        fprintf(stderr, "chakra %s: %s\n", network, error->message);
        return false;
    }
    printf("chakra %-10s %4u ranks, %8" G_GUINT64_FORMAT " nodes, %6.1f MB in %.3f s, %.2f M nodes "
           "a second\n",
           network, ranks, result->nodes, (double)bytes * 1e-6, took_s,
           (double)result->nodes / took_s * 1e-6);
    return true;
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    if (argc > 2 && strcmp(argv[1], "--write") == 0)
        return write_files(argv[2]);
    if (quick)
        return time_replay("alpha-beta", 16, 20) && time_replay("fluid", 16, 20) ? 0 : 1;
    return time_replay("alpha-beta", 64, 1000) && time_replay("alpha-beta", 256, 2000) &&
                   time_replay("fluid", 64, 200) && time_replay("fluid", 256, 200)
               ? 0
               : 1;
}
