/* The log of a run: a spell for each run of iterations that a lane makes between two decisions. What
 * the replica held is looked at when the spell begins, its length when it ends, since requests that
 * come cut runs short. */
#include "scen_serve_log.h"

#include "strat_replica.h"

static void on_begin(void *ctx, const StratLane *lane)
{
    ScenServeLog *log = ctx;
    const StratReplica *replica = lane->replica;
    ScenServeSpell spell = {
        .at = strat_fine_ns(lane->now),
        .replica = replica->index,
        .lane = (uint32_t)(lane - replica->lane),
        .prompts = lane->chunk->len,
        .decodes = lane->decoding ? lane->decodes.count : 0,
        .running = replica->running,
        .waiting = replica->waiting.length,
        .blocks = strat_kv_blocks(replica->kv) - strat_replica_free_blocks(replica),
    };
    for (guint i = 0; i < lane->chunk->len; i++)
        spell.prompt_tokens += g_array_index(lane->chunk, StratChunk, i).tokens;
    g_hash_table_replace(log->begun, (gpointer)(uintptr_t)lane, g_memdup2(&spell, sizeof spell));
}

static void on_end(void *ctx, const StratLane *lane)
{
    ScenServeLog *log = ctx;
    ScenServeSpell *spell = g_hash_table_lookup(log->begun, lane);
    spell->end = strat_fine_ns(lane->end);
    spell->iterations = lane->iterations;
    if (log->spells->len >= log->most) {
        log->left_out++;
        return;
    }
    g_array_append_val(log->spells, *spell);
    log->left_from = spell->end;
}

StratServeWatch scen_serve_log_watch(ScenServeLog *log)
{
    log->spells = g_array_new(FALSE, TRUE, sizeof(ScenServeSpell));
    log->begun = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return (StratServeWatch){.ctx = log, .begins = on_begin, .ends = on_end};
}

void scen_serve_log_clear(ScenServeLog *log)
{
    if (log->spells)
        g_array_unref(log->spells);
    if (log->begun)
        g_hash_table_unref(log->begun);
}
