/*
 * Branch and bound over a list. Each candidate comes with a lower bound of its objective that costs
 * next to nothing; trials, which cost seconds, go by rising bounds, and end where the bounds pass
 *
 *     reach x (the least objective so far among those that do what is asked)
 *
 * With reach 1 what is left out cannot be better than the answer, so the answer is that of trying
 * all. A larger reach also tries what may be so much dearer: the neighbourhood that a Pareto set is
 * drawn from.
 *
 * A search for more than one objective goes on where the bounds pass that, for the candidates that
 * rules_out() does not rule out by what is known of the others by then.
 *
 * Trials are handed to the farm (sim_farm.h) WAVE at a time, and the limit moves only between waves.
 * So which candidates are tried does not depend on how many hands there are or which of them is
 * first, at the price of at most WAVE - 1 trials too many; and more than WAVE hands are of no use.
 *
 * Left out: bounds that get better on the way; candidates that are made while others are tried.
 */
#include "strat_search.h"

#include <glib.h>

#include <math.h>

/* Trials between two looks at the limit: a few for each core of a workstation. */
enum { WAVE = 16 };

typedef struct Order {
    double bound;
    size_t index;
} Order;

static gint compare(gconstpointer a, gconstpointer b)
{
    const Order *x = a;
    const Order *y = b;
    if (x->bound != y->bound)
        return x->bound < y->bound ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static Order *order_new(const StratSearch *search)
{
    Order *order = g_new(Order, MAX(search->count, 1));
    for (size_t i = 0; i < search->count; i++)
        order[i] = (Order){search->trial[i].bound, i};
    qsort(order, search->count, sizeof *order, compare);
    return order;
}

/* Candidates that are tried together. */
typedef struct Wave {
    const StratSearch *search;
    size_t index[WAVE];
} Wave;

static GBytes *try_one(int64_t task, void *ctx)
{
    const Wave *wave = ctx;
    const StratSearch *search = wave->search;
    if (search->stops && search->stops(search->ctx))
        return NULL;
    return search->evaluate(search->ctx, wave->index[task]);
}

static bool take_one(int64_t task, GBytes *bytes, void *ctx)
{
    const Wave *wave = ctx;
    const StratSearch *search = wave->search;
    size_t index = wave->index[task];
    if (bytes)
        search->take(search->ctx, index, bytes, &search->trial[index]);
    return true;
}

/* Tries the first @count candidates of @wave; their order in time does not matter. */
static void try_wave(Wave *wave, size_t count)
{
    SimFarmJob job = {
        .count = (int64_t)count,
        .work = try_one,
        .take = take_one,
        .ctx = wave,
        .everywhere = true,
    };
    sim_farm_run(wave->search->farm, &job, NULL);
}

/* Whether trial @a is a better answer than @b. */
static bool is_better(const StratSearch *search, size_t a, size_t b)
{
    if (b == search->count)
        return true;
    const StratTrial *x = &search->trial[a];
    const StratTrial *y = &search->trial[b];
    if (x->objective != y->objective)
        return x->objective < y->objective;
    return x->tie != y->tie ? x->tie < y->tie : a < b;
}

/* Fills @wave with the next candidates from @order, of which @done are dealt with and are more on
 * return. */
static size_t next_wave(Wave *wave, const Order *order, double most, size_t *done)
{
    const StratSearch *search = wave->search;
    size_t count = 0;
    for (; *done < search->count && count < WAVE; (*done)++) {
        const Order *next = &order[*done];
        if (next->bound > most && !search->rules_out)
            break;
        if (next->bound <= most || !search->rules_out(search->ctx, next->index))
            wave->index[count++] = next->index;
    }
    return count;
}

size_t strat_search_run(const StratSearch *search)
{
    g_autofree Order *order = order_new(search);
    Wave wave = {.search = search};
    size_t best = search->count;
    size_t done = 0;
    while (done < search->count && !(search->stops && search->stops(search->ctx))) {
        double most = best < search->count && !search->exhaustive
                          ? search->reach * search->trial[best].objective
                          : INFINITY;
        size_t count = next_wave(&wave, order, most, &done);
        if (count == 0)
            break;
        try_wave(&wave, count);
        for (size_t i = 0; i < count; i++)
            if (search->trial[wave.index[i]].verdict == STRAT_MEETS &&
                is_better(search, wave.index[i], best))
                best = wave.index[i];
        if (search->progress)
            search->progress(search->ctx, done, search->count);
    }
    return best;
}

static bool beats(const double *a, const double *b, size_t axes)
{
    bool somewhere = false;
    for (size_t i = 0; i < axes; i++) {
        if (a[i] > b[i])
            return false;
        somewhere = somewhere || a[i] < b[i];
    }
    return somewhere;
}

void strat_search_pareto(const double *value, size_t count, size_t axes, bool *kept)
{
    for (size_t i = 0; i < count; i++) {
        kept[i] = true;
        for (size_t j = 0; j < count && kept[i]; j++)
            kept[i] = !beats(value + j * axes, value + i * axes, axes);
    }
}

bool strat_search_next(size_t *digit, const size_t *size, size_t axes)
{
    for (size_t i = axes; i-- > 0;) {
        if (++digit[i] < size[i])
            return true;
        digit[i] = 0;
    }
    return false;
}
