/* The table of recovery policies. A policy is a pure function of one failure; what takes time, what
 * waits for spares and what is booked where is the business of the campaign. */
#include "strat_recovery.h"

#include "sim_row.h"
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
    {.name = "multi-level",
     .source = "memory of peers, the node's disk, then storage: GEMINI (SOSP 2023), FTI (Bautista-Gomez et al., SC 2011)",
     .peers = STRAT_PEERS_NODE,
     .plan = strat_recovery_multi_level},
    {.name = "migrate",
     .source = "TrainMover (arXiv 2412.12636): a standby that was warmed up takes the place of what failed",
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_migrate},
    {.name = "drop-replica",
     .source = "FT-HSDP (arXiv 2602.00277), torchft: the others go on without the replica that failed",
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_drop_replica},
    {.name = "peer-takeover",
     .source = "ReCycle (Gandhi et al., SOSP 2024): peers in other replicas take its microbatches",
     .adaptation = STRAT_ADAPT_PEER_TAKEOVER,
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_peer_takeover},
    {.name = "templates",
     .source = "Oobleck (Jang et al., SOSP 2023): the pipeline goes on a stage shorter, with fewer microbatches",
     .adaptation = STRAT_ADAPT_TEMPLATES,
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_templates},
    {.name = "morph",
     .source = "Varuna (Athlur et al., EuroSys 2022): restarts with the best pipelines for the nodes that are left",
     .adaptation = STRAT_ADAPT_MORPH,
     .plan = strat_recovery_morph},
    {.name = "redundant-stage",
     .source = "Bamboo (Thorpe et al., NSDI 2023): each node also computes the next stage's forward",
     .adaptation = STRAT_ADAPT_REDUNDANT_STAGE,
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_redundant_stage},
    {.name = "uneven-tensor",
     .source = "Nonuniform Tensor Parallelism (arXiv 2504.06095): the rest of the tensor group goes on, dealt less",
     .adaptation = STRAT_ADAPT_UNEVEN_TENSOR,
     .peers = STRAT_PEERS_REPLICA,
     .plan = strat_recovery_uneven_tensor},
};
/* clang-format on */

StratRecoveryPlan strat_recovery_go_on(const StratRecoveryCase *failure)
{
    return (StratRecoveryPlan){
        .loss = STRAT_LOSS_TO_STEP,
        .restart_s = failure->restart_s,
        .load_s = failure->peer_load_s,
        .goes_on = true,
        .transition_s = failure->rejoin_s,
        .return_s = failure->rejoin_s,
    };
}

bool strat_recovery_can_adapt(const StratRecoveryCase *failure)
{
    return failure->nodes_hit > 0 && failure->replicas > 1 && failure->can_adapt;
}

const StratRecovery *strat_recovery_all(size_t *count)
{
    *count = G_N_ELEMENTS(policies);
    return policies;
}

const StratRecovery *strat_recovery_by_name(const char *name, GError **error)
{
    if (!name)
        return &policies[0];
    return sim_row_by_name(policies, G_N_ELEMENTS(policies), sizeof policies[0], name,
                           "recovery policy", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}
