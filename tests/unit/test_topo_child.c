/*
 * Questions to a child process: answers of all sizes, its errors, its death with its last words,
 * and that nothing else of it reaches this process.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim_error.h"
#include "topo_child.h"

static bool repeat(void *ctx, GByteArray *answer, GError **error)
{
    (void)error;
    guint *count = ctx;
    for (guint i = 0; i < *count; i++)
        g_byte_array_append(answer, (const guint8 *)&i, sizeof i);
    *count = 0;
    return true;
}

Test(topo_child, answers_of_all_sizes_arrive_whole)
{
    static const guint counts[] = {0, 1, 1000, 3000000};
    for (size_t k = 0; k < G_N_ELEMENTS(counts); k++) {
        guint count = counts[k];
        g_autoptr(GByteArray) answer = topo_child_ask(repeat, &count, NULL);
        cr_assert(answer != NULL && answer->len == counts[k] * sizeof(guint));
        for (guint i = 0; i < counts[k]; i++)
            cr_assert(memcmp(answer->data + i * sizeof i, &i, sizeof i) == 0, "%u of %u", i,
                      counts[k]);
        cr_expect(count == counts[k], "the child has a copy");
    }
}

static bool refuse(void *ctx, GByteArray *answer, GError **error)
{
    g_byte_array_append(answer, (const guint8 *)"half", 4);
    g_set_error(error, SIM_ERROR, SIM_ERROR_DEADLOCK, "no answer to %s", (const char *)ctx);
    return false;
}

Test(topo_child, its_error_is_ours)
{
    g_autoptr(GError) error = NULL;
    GByteArray *answer = topo_child_ask(refuse, "that", &error);
    cr_assert(answer == NULL && error != NULL);
    cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_DEADLOCK));
    cr_expect(strcmp(error->message, "no answer to that") == 0, "%s", error->message);
}

static bool die(void *ctx, GByteArray *answer, GError **error)
{
    (void)answer;
    (void)error;
    const char *how = ctx;
    fprintf(stderr, "goodbye\n");
    if (strcmp(how, "abort") == 0)
        abort();
    _exit(7);
}

Test(topo_child, its_death_is_an_error_with_its_last_words)
{
    static const char *const ways[][2] = {
        {"abort", "died by signal 6: goodbye"  },
        {"leave", "died with status 7: goodbye"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(GError) error = NULL;
        GByteArray *answer = topo_child_ask(die, (void *)(gsize)ways[i][0], &error);
        cr_assert(answer == NULL && error != NULL);
        cr_expect(g_error_matches(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED));
        cr_expect(strstr(error->message, ways[i][1]) != NULL, "%s", error->message);
    }
}

/* Ends as well as it can, without an answer. */
static bool leave_early(void *ctx, GByteArray *answer, GError **error)
{
    (void)ctx;
    (void)answer;
    (void)error;
    _exit(0);
}

Test(topo_child, no_answer_is_an_error)
{
    g_autoptr(GError) error = NULL;
    cr_assert(topo_child_ask(leave_early, NULL, &error) == NULL && error != NULL);
    cr_expect(g_error_matches(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED), "%s", error->message);
}
