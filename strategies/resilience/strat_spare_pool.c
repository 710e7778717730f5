/* Nodes that failed are replaced by spares, or the job waits for the first ones that come back from
 * repair. A node that failed so often before is gone, and the sound one in its place fails less
 * often: of its faults only that share is real. Left out: the time that repaired nodes take to be
 * checked beyond `repair`. */
#include "strat_spare_pool.h"

#include "strat_once.h"

StratSparePool strat_spare_pool_new(const StratCampaign *campaign)
{
    return (StratSparePool){
        .campaign = campaign,
        .spares = MAX(campaign->spares.nodes, 0),
        .repairs = g_array_new(FALSE, FALSE, sizeof(SimTime)),
        .strikes = g_hash_table_new(NULL, NULL),
    };
}

void strat_spare_pool_clear(StratSparePool *pool)
{
    g_clear_pointer(&pool->repairs, g_array_unref);
    g_clear_pointer(&pool->strikes, g_hash_table_unref);
}

bool strat_spare_pool_has(const StratSparePool *pool, int64_t nodes)
{
    return pool->campaign->spares.nodes < 0 || pool->spares >= nodes;
}

/* Until the @index-th node that @fault took away stands by: those of preemptions when their class
 * says, and those beyond the ones that were hit are healthy. */
static SimTime away(const StratSparePool *pool, const StratFault *fault, int64_t index)
{
    const StratCampaignSpares *spares = &pool->campaign->spares;
    const StratFaultClass *c = &pool->campaign->faults.classes[fault->class_index];
    if (c->effect == STRAT_FAULT_PREEMPT)
        return strat_once_draw(&c->lasts, fault, STRAT_DRAW_LASTS);
    bool is_healthy = index >= fault->nodes || c->effect == STRAT_FAULT_ALARM;
    return strat_once_draw(is_healthy ? &spares->check : &spares->repair, fault, STRAT_DRAW_REPAIR);
}

SimTime strat_spare_pool_replace(StratSparePool *pool, const StratFault *fault, SimTime now,
                                 int64_t nodes)
{
    const StratCampaignSpares *spares = &pool->campaign->spares;
    const StratFaultClass *c = &pool->campaign->faults.classes[fault->class_index];
    if (nodes == 0)
        return 0;
    if (spares->nodes < 0)
        return c->effect == STRAT_FAULT_PREEMPT
                   ? away(pool, fault, 0)
                   : strat_once_draw(&spares->allocation, fault, STRAT_DRAW_ALLOCATE);
    while (pool->repairs->len > 0 && g_array_index(pool->repairs, SimTime, 0) <= now) {
        g_array_remove_index(pool->repairs, 0);
        pool->spares++;
    }
    for (int64_t i = 0; i < nodes; i++)
        strat_once_insert(pool->repairs, now + away(pool, fault, i));
    int64_t missing = MAX(nodes - pool->spares, 0);
    pool->spares = MAX(pool->spares - nodes, 0);
    if (missing == 0)
        return 0;
    SimTime back = g_array_index(pool->repairs, SimTime, missing - 1);
    g_array_remove_range(pool->repairs, 0, (guint)missing);
    return MAX(back - now, 0);
}

bool strat_spare_pool_is_quarantined(StratSparePool *pool, const StratFault *fault)
{
    const StratCampaign *campaign = pool->campaign;
    int64_t limit = campaign->spares.quarantine;
    if (limit == 0 || fault->nodes != 1)
        return false;
    gpointer key = GINT_TO_POINTER((gint)fault->node);
    int64_t strikes = GPOINTER_TO_INT(g_hash_table_lookup(pool->strikes, key));
    if (strikes >= limit)
        return strat_once_luck(fault, STRAT_DRAW_KEEP) >= 1.0 / fault->excess;
    g_hash_table_insert(pool->strikes, key, GINT_TO_POINTER((gint)strikes + 1));
    return false;
}
