/*
 * A slow GPU holds up all GPUs of its replica, so every part of an iteration is longer by the same
 * factor, an upper bound: reading memory does not wait for the clock. A NIC that lost bandwidth
 * makes those collectives longer that pass it: the slowest member sets the time of the group.
 *
 * A pace is a pricer around the healthy one and a curve of its own. Curves are kept: a run that is
 * under way points into the one that it was priced by.
 */
#include "strat_pace.h"

#include "strat_speculation.h"

/* One of them. */
typedef struct Gait {
    StratPricer base; /* first */
    const StratPricer *healthy;
    StratPace pace;
    StratCurve *curve;
} Gait;

struct StratPaces {
    StratReplica *replica;
    const StratPricer *pricer; /* the healthy ones */
    StratCurve *curve;
    GPtrArray *gaits;
};

static void price(const StratPricer *pricer, const StratBatch *batch, StratIteration *out)
{
    const Gait *gait = (const Gait *)(const void *)pricer;
    const StratPace *pace = &gait->pace;
    gait->healthy->price(gait->healthy, batch, out);
    double before_s = out->seconds;
    out->seconds = 0.0;
    for (int p = 0; p < STRAT_SERVE_PARTS; p++) {
        bool between = p == STRAT_SERVE_ALL_TO_ALL || p == STRAT_SERVE_PIPELINE;
        double wire = p == STRAT_SERVE_TENSOR ? pace->tensor : between ? pace->experts : 1.0;
        out->part_s[p] *= pace->all * wire;
        out->seconds += out->part_s[p];
    }
    out->stage_s *= before_s > 0.0 ? out->seconds / before_s : 1.0;
}

static void gait_free(void *item)
{
    Gait *gait = item;
    strat_curve_free(gait->curve);
    g_free(gait);
}

StratPaces *strat_paces_new(StratReplica *replica)
{
    StratPaces *paces = g_new(StratPaces, 1);
    *paces = (StratPaces){
        .replica = replica,
        .pricer = replica->pricer,
        .curve = replica->curve,
        .gaits = g_ptr_array_new_with_free_func(gait_free),
    };
    return paces;
}

static bool is_same(const StratPace *a, const StratPace *b)
{
    return a->all == b->all && a->experts == b->experts && a->tensor == b->tensor;
}

static void go(StratPaces *paces, const StratPricer *pricer, StratCurve *curve)
{
    paces->replica->pricer = pricer;
    paces->replica->curve = curve;
}

void strat_paces_set(StratPaces *paces, StratPace pace)
{
    static const StratPace healthy = {1.0, 1.0, 1.0};
    if (is_same(&pace, &healthy)) {
        go(paces, paces->pricer, paces->curve);
        return;
    }
    for (guint i = 0; i < paces->gaits->len; i++) {
        Gait *known = paces->gaits->pdata[i];
        if (is_same(&known->pace, &pace)) {
            go(paces, &known->base, known->curve);
            return;
        }
    }
    Gait *gait = g_new(Gait, 1);
    *gait = (Gait){.base = {.price = price}, .healthy = paces->pricer, .pace = pace};
    gait->curve = strat_curve_new(&gait->base, strat_speculation_width(paces->replica->guesses));
    g_ptr_array_add(paces->gaits, gait);
    go(paces, &gait->base, gait->curve);
}

void strat_paces_free(StratPaces *paces)
{
    if (!paces)
        return;
    go(paces, paces->pricer, paces->curve);
    g_ptr_array_unref(paces->gaits);
    g_free(paces);
}
