/* Where layers stand, written out.
 *
 * A list of layers, chunk by chunk in the order of the model, with spaces between; n*k stands for k
 * chunks of n layers. Embedding and head stand with the first and the last chunk and count for
 * nothing. Chunks at the ends may have no layer: then they hold the embedding or the head alone. */
#include "strat_stages.h"

#include "strat_layout.h"

#include <glib.h>

#define I64 "%" G_GINT64_FORMAT

enum { LAYERS_MAX = 100000 };

/* One item: @times chunks of @layers; moves @text behind it. False where there is none. */
static bool next_item(const char **text, int64_t *layers, int64_t *times)
{
    char *end;
    while (**text == ' ')
        (*text)++;
    if (!g_ascii_isdigit(**text))
        return false;
    *layers = (int64_t)g_ascii_strtoull(*text, &end, 10);
    *times = 1;
    if (*end == '*' && g_ascii_isdigit(end[1]))
        *times = (int64_t)g_ascii_strtoull(end + 1, &end, 10);
    *text = end;
    return (*end == ' ' || *end == '\0') && *layers <= LAYERS_MAX && *times <= LAYERS_MAX;
}

bool strat_stages_read(const char *text, int64_t *chunks, int64_t *layers, char **reason)
{
    int64_t each, times;
    const char *at = text;
    *chunks = *layers = 0;
    while (next_item(&at, &each, &times)) {
        *chunks += times;
        *layers += each * times;
    }
    if (*at == '\0' && *chunks > 0)
        return true;
    if (reason)
        *reason = g_strdup_printf(
            "'%s' is not a list of layers, chunk by chunk, as in '3 4*14 2' (4*14: 14 chunks of 4)",
            text);
    return false;
}

int64_t strat_stages_at(const char *text, int64_t index, int64_t *before)
{
    int64_t each, times, left = index;
    *before = 0;
    while (next_item(&text, &each, &times)) {
        if (left < times) {
            *before += left * each;
            return each;
        }
        *before += times * each;
        left -= times;
    }
    return 0;
}

bool strat_stages_fit(const ModelSpec *model, const StratPlan *plan, char **reason)
{
    int64_t listed, layers, before, chunks = strat_chunk_count(plan);
    if (!strat_stages_read(plan->stage_layers, &listed, &layers, reason))
        return false;
    if (listed != chunks)
        *reason = g_strdup_printf(I64 " chunks are listed, the pipeline has " I64, listed, chunks);
    else if (layers != model->layers)
        *reason = g_strdup_printf("they sum to " I64 ", the model has " I64, layers, model->layers);
    else if (plan->count_embedding || plan->count_head)
        *reason = g_strdup("count_embedding and count_head say otherwise where layers stand");
    else if (plan->profiled.forward_s > 0.0)
        *reason = g_strdup("measured times (profiled) are those of equal stages");
    for (int64_t i = 1; !*reason && i + 1 < chunks; i++)
        if (strat_stages_at(plan->stage_layers, i, &before) == 0)
            *reason = g_strdup_printf("chunk " I64 " has no layer: only the first and the last, "
                                      "with embedding and head, may do without",
                                      i);
    return *reason == NULL;
}
