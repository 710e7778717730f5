/* A memo of step times.
 *
 * A state is taken apart into parts that have been made alike (strat_alike.c), and its step is the
 * longest of theirs; a part is simulated when it is first met. What is simulated is the part itself
 * and not the state it came from, so that an answer does not depend on who asked first. States with
 * nodes missing under an adaptation are known by all that they say. */
#include "strat_step_memo.h"

struct StratStepMemo {
    StratStepFunc *step;
    void *ctx;
    const StratAlike *alike;
    GMutex lock;
    GHashTable *known; /* text of a state to double */
    StratStepCounts counts;
};

StratStepMemo *strat_step_memo_new(StratStepFunc *step, void *ctx, const StratAlike *alike)
{
    StratStepMemo *memo = g_new0(StratStepMemo, 1);
    memo->step = step;
    memo->ctx = ctx;
    memo->alike = alike;
    memo->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&memo->lock);
    return memo;
}

void strat_step_memo_free(StratStepMemo *memo)
{
    if (!memo)
        return;
    g_mutex_clear(&memo->lock);
    g_hash_table_unref(memo->known);
    g_free(memo);
}

/* All that @state says. */
static char *text_of(const StratJobState *state)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < state->slow_count; i++)
        g_string_append_printf(text, "g%" G_GINT64_FORMAT " %.17g ", state->slow[i].gpu,
                               state->slow[i].clock_fraction);
    for (size_t i = 0; i < state->weak_count; i++)
        g_string_append_printf(text, "n%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %.17g ",
                               state->weak[i].node, state->weak[i].nic, state->weak[i].fraction);
    g_string_append_printf(text, "a%d r%" G_GINT64_FORMAT, (int)state->adaptation,
                           state->replicas_lost);
    for (size_t i = 0; i < state->lost_count; i++)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, state->lost_node[i]);
    return g_string_free(text, FALSE);
}

static double look_up(StratStepMemo *memo, const StratJobState *state)
{
    g_autofree char *text = text_of(state);
    const double *known = g_hash_table_lookup(memo->known, text);
    if (known)
        return *known;
    double seconds = memo->step(state, memo->ctx);
    g_hash_table_insert(memo->known, g_steal_pointer(&text), g_memdup2(&seconds, sizeof seconds));
    memo->counts.simulated++;
    return seconds;
}

static double longest(StratStepMemo *memo, const StratJobState *state)
{
    bool bounded;
    g_autoptr(GArray) parts = strat_alike_parts(memo->alike, state, &bounded);
    double seconds = 0.0;
    for (guint i = 0; i < parts->len; i++) {
        StratJobState part = strat_alike_state(&g_array_index(parts, StratAlikePart, i));
        part.replicas_lost = state->replicas_lost;
        seconds = MAX(seconds, look_up(memo, &part));
    }
    memo->counts.bounded += bounded;
    return seconds;
}

double strat_step_memo_step(const StratJobState *state, void *ctx)
{
    StratStepMemo *memo = ctx;
    bool is_worn = state->slow_count + state->weak_count > 0;
    bool is_adapted = state->adaptation != STRAT_ADAPT_NONE || state->lost_count > 0;
    bool as_planned = !is_worn && !is_adapted && state->replicas_lost == 0;
    bool apart = memo->alike && strat_alike_holds(memo->alike) && is_worn && !is_adapted;
    g_mutex_lock(&memo->lock);
    memo->counts.asked += !as_planned;
    double seconds = apart ? longest(memo, state) : look_up(memo, state);
    g_mutex_unlock(&memo->lock);
    return seconds;
}

StratStepCounts strat_step_memo_counts(StratStepMemo *memo)
{
    g_mutex_lock(&memo->lock);
    StratStepCounts counts = memo->counts;
    g_mutex_unlock(&memo->lock);
    return counts;
}
