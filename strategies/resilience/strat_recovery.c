/* The table of recovery policies. A policy is a pure function of one failure; what takes time, what
 * waits for spares and what is booked where is the business of the campaign. */
#include "strat_recovery.h"

#include "strat_schedule.h"

/* clang-format off */
static const StratRecovery policies[] = {
    {.name = "restart",
     .source = "everybody's baseline: all nodes start again from the last checkpoint in storage",
     .plan = strat_recovery_restart},
    {.name = "hot-spare",
     .source = "warm standbys of ByteRobust (SOSP 2025, arXiv 2509.16293)",
     .plan = strat_recovery_hot_spare},
    {.name = "in-memory",
     .source = "GEMINI (Wang et al., SOSP 2023): checkpoints in the memory of peers",
     .peers = STRAT_PEERS_NODE,
     .plan = strat_recovery_in_memory},
    {.name = "just-in-time",
     .source = "Just-In-Time Checkpointing (Gupta et al., EuroSys 2024): survivors save after a failure",
     .plan = strat_recovery_just_in_time},
    {.name = "drop-replica",
     .source = "FT-HSDP (arXiv 2602.00277), torchft: the others go on without the replica that failed",
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_drop_replica},
};
/* clang-format on */

const StratRecovery *strat_recovery_all(size_t *count)
{
    *count = G_N_ELEMENTS(policies);
    return policies;
}

const StratRecovery *strat_recovery_by_name(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        if (!name || g_str_equal(policies[i].name, name))
            return &policies[i];
        g_string_append_printf(known, " %s", policies[i].name);
    }
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME,
                "unknown recovery policy '%s', known:%s", name, known->str);
    return NULL;
}
