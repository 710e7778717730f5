/* A memo of step times.
 *
 * A state is taken apart into parts that have been made alike (strat_alike.c), and its step is the
 * longest of theirs; a part is simulated when it is first met. What is simulated is the part itself
 * and not the state it came from, so that an answer does not depend on who asked first. States with
 * nodes missing under an adaptation are known by all that they say.
 *
 * Counts do not depend on who simulated what: a view keeps which states its task asked for, and a
 * state counts as simulated when the first task that asked for it is taken, wherever it ran. */
#include "strat_step_memo.h"

#include <string.h>

/* What is known of a state. */
typedef struct Known {
    double seconds;
    bool counted; /* as simulated */
} Known;

struct StratStepMemo {
    StratStepFunc *step;
    void *ctx;
    const StratAlike *alike;
    GMutex lock;
    GHashTable *known; /* text of a state to Known */
    StratStepCounts counts;
};

struct StratStepView {
    StratStepMemo *memo;
    StratStepCounts counts; /* but for what is simulated */
    GHashTable *seen;       /* set of texts, those of @met */
    GPtrArray *met;         /* texts of states not counted yet; owned */
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

static void count(StratStepMemo *memo, Known *known)
{
    memo->counts.simulated += !known->counted;
    known->counted = true;
}

static void remember(StratStepView *view, const char *text)
{
    if (g_hash_table_contains(view->seen, text))
        return;
    char *own = g_strdup(text);
    g_ptr_array_add(view->met, own);
    g_hash_table_add(view->seen, own);
}

static Known *learn(StratStepMemo *memo, const char *text, double seconds)
{
    Known *known = g_new0(Known, 1);
    known->seconds = seconds;
    g_hash_table_insert(memo->known, g_strdup(text), known);
    return known;
}

/* Asks for @state, for @view or, where that is NULL, for the memo's own account. */
static double look_up(StratStepMemo *memo, StratStepView *view, const StratJobState *state)
{
    g_autofree char *text = text_of(state);
    Known *known = g_hash_table_lookup(memo->known, text);
    if (!known)
        known = learn(memo, text, memo->step(state, memo->ctx));
    if (!view)
        count(memo, known);
    else if (!known->counted)
        remember(view, text);
    return known->seconds;
}

static double longest(StratStepMemo *memo, StratStepView *view, StratStepCounts *counts,
                      const StratJobState *state)
{
    bool bounded;
    g_autoptr(GArray) parts = strat_alike_parts(memo->alike, state, &bounded);
    double seconds = 0.0;
    for (guint i = 0; i < parts->len; i++) {
        StratJobState part = strat_alike_state(&g_array_index(parts, StratAlikePart, i));
        part.replicas_lost = state->replicas_lost;
        seconds = MAX(seconds, look_up(memo, view, &part));
    }
    counts->bounded += bounded;
    return seconds;
}

static double step_for(StratStepMemo *memo, StratStepView *view, const StratJobState *state)
{
    bool is_worn = state->slow_count + state->weak_count > 0;
    bool is_adapted = state->adaptation != STRAT_ADAPT_NONE || state->lost_count > 0;
    bool as_planned = !is_worn && !is_adapted && state->replicas_lost == 0;
    bool apart = memo->alike && strat_alike_holds(memo->alike) && is_worn && !is_adapted;
    StratStepCounts *counts = view ? &view->counts : &memo->counts;
    g_mutex_lock(&memo->lock);
    counts->asked += !as_planned;
    double seconds = apart ? longest(memo, view, counts, state) : look_up(memo, view, state);
    g_mutex_unlock(&memo->lock);
    return seconds;
}

double strat_step_memo_step(const StratJobState *state, void *ctx)
{
    return step_for(ctx, NULL, state);
}

StratStepCounts strat_step_memo_counts(StratStepMemo *memo)
{
    g_mutex_lock(&memo->lock);
    StratStepCounts counts = memo->counts;
    g_mutex_unlock(&memo->lock);
    return counts;
}

StratStepView *strat_step_view_new(StratStepMemo *memo)
{
    StratStepView *view = g_new0(StratStepView, 1);
    view->memo = memo;
    view->seen = g_hash_table_new(g_str_hash, g_str_equal);
    view->met = g_ptr_array_new_with_free_func(g_free);
    return view;
}

void strat_step_view_free(StratStepView *view)
{
    if (!view)
        return;
    g_hash_table_unref(view->seen);
    g_ptr_array_unref(view->met);
    g_free(view);
}

double strat_step_view_step(const StratJobState *state, void *ctx)
{
    StratStepView *view = ctx;
    return step_for(view->memo, view, state);
}

/* The counts, then of each state its seconds and its text with the zero. */
void strat_step_view_write(const StratStepView *view, GByteArray *out)
{
    g_byte_array_append(out, (const guint8 *)&view->counts, sizeof view->counts);
    g_mutex_lock(&view->memo->lock);
    for (guint i = 0; i < view->met->len; i++) {
        const char *text = view->met->pdata[i];
        const Known *known = g_hash_table_lookup(view->memo->known, text);
        g_byte_array_append(out, (const guint8 *)&known->seconds, sizeof known->seconds);
        g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text) + 1);
    }
    g_mutex_unlock(&view->memo->lock);
}

void strat_step_memo_take(StratStepMemo *memo, const guint8 *data, size_t size)
{
    const guint8 *end = data + size;
    StratStepCounts counts;
    memcpy(&counts, data, sizeof counts);
    data += sizeof counts;
    g_mutex_lock(&memo->lock);
    memo->counts.asked += counts.asked;
    memo->counts.bounded += counts.bounded;
    while (data < end) {
        double seconds;
        memcpy(&seconds, data, sizeof seconds);
        const char *text = (const char *)(data + sizeof seconds);
        Known *known = g_hash_table_lookup(memo->known, text);
        count(memo, known ? known : learn(memo, text, seconds));
        data += sizeof seconds + strlen(text) + 1;
    }
    g_mutex_unlock(&memo->lock);
}
