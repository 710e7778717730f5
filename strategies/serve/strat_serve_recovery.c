/*
 * The table of what becomes of the requests of a replica that has died. Tokens that a client has
 * stay with it; what is lost is the cache, which is computed again from the prompt and those tokens
 * or comes from a copy. What takes how long is the business of strat_outage.c.
 */
#include "strat_failures.h"

#include "sim_row.h"
#include "strat_schedule.h"

/* clang-format off */
static const StratServeRecovery recoveries[] = {
    {.name = "restart",
     .source = "they wait until it has started again and are computed again: MegaScale-Infer as Tarragon measures it (arXiv 2601.01310)"},
    {.name = "fail",
     .source = "they end in an error, others go elsewhere: Kubernetes takes a pod that is not ready off its service, nobody retries",
     .fails = true},
    {.name = "spare",
     .source = "a replica that stands by takes its place, they are computed again there: serve.failures.spares",
     .takes_over = true},
    {.name = "reroute-recompute",
     .source = "the router sends them to other replicas, which compute prompt and outputs again: Llumnix, SpotServe (token-level)",
     .reroutes = true},
    {.name = "reroute-restore",
     .source = "to other replicas with their caches, from copies on peers or hosts: Tarragon (arXiv 2601.01310), DejaVu (Strati 2024)",
     .reroutes = true, .restores = true},
    {.name = "shrink",
     .source = "an expert group goes on without the ranks it lost while copies cover their experts; else as reroute-recompute: FailSafe (arXiv 2511.14116), Tarragon's shadow experts",
     .reroutes = true, .shrinks = true},
};
/* clang-format on */

const StratServeRecovery *strat_serve_recovery_all(size_t *count)
{
    *count = G_N_ELEMENTS(recoveries);
    return recoveries;
}

const StratServeRecovery *strat_serve_recovery_by_name(const char *name, GError **error)
{
    if (!name)
        return &recoveries[0];
    return sim_row_by_name(recoveries, G_N_ELEMENTS(recoveries), sizeof recoveries[0], name,
                           "recovery of serving", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}
