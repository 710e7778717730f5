/** Recovery policies: what a job does when something of it has died. */
#ifndef STRAT_RECOVERY_H
#define STRAT_RECOVERY_H

#include "strat_job_state.h"

#include <glib.h>
#include <stdbool.h>

/** A failure, as a policy sees it. */
typedef struct StratRecoveryCase {
    int64_t nodes;          /* of the job */
    int64_t nodes_lost;     /* with their memory: in this failure and in recoveries it interrupts */
    int64_t nodes_rebooted; /* those, and others that lost their memory but not their disks */
    int64_t nodes_hit;      /* by this failure; 0: the job as a whole */
    bool hits_gpu;          /* one GPU, and not the rest of its node */
    bool can_adapt;         /* the policy's adaptation has a step without all that is missing */
    bool neighbour_is_lost; /* a stage next to one that is hit, in the same replica */
    int64_t copies;         /* of the state in memory of peers, its own counted; a node's groups */
    int64_t replicas;       /* of data parallelism; 1: none */
    int64_t replicas_lost;  /* this one not counted */
    int64_t most_lost;      /* replicas that may be missing */
    bool spare_is_free;     /* enough spare nodes stand by */
    double chance;          /* uniform on [0, 1): the luck of this failure */
    double restart_s;       /* starting processes and communicators anew */
    double warm_restart_s;  /* the same where spares are set up already */
    double load_s;          /* of a checkpoint from storage */
    double peer_load_s;     /* of state from peers */
    double save_s;          /* a blocking checkpoint */
    double rejoin_s;        /* in which all stand still when members of the job change */
    double migrate_s;       /* the same when a standby that is set up already takes over */
    bool has_local;         /* checkpoints on the nodes' own disks */
    double local_load_s;    /* of one of those */
} StratRecoveryCase;

/** What of the work is lost. */
typedef enum StratRecoveryLoss {
    STRAT_LOSS_TO_CHECKPOINT, /* all since the last checkpoint in storage */
    STRAT_LOSS_TO_MEMORY,     /* all since the last copy in memory of peers */
    STRAT_LOSS_TO_DISK,       /* all since the last copy on the nodes' disks */
    STRAT_LOSS_TO_STEP,       /* the step at hand */
} StratRecoveryLoss;

/** What it decides: a restart of all, or (@goes_on) to go on without what was hit. */
typedef struct StratRecoveryPlan {
    StratRecoveryLoss loss;
    double save_s;    /* before anything else: survivors save */
    double restart_s; /* of all, once replacements are there; going on: of the replacements,
                         meanwhile */
    double load_s;    /* likewise */
    bool goes_on;
    bool is_adapted;                /* in the policy's adaptation; else without the whole replica */
    double transition_s;            /* in which all stand still before they go on */
    double return_save_s, return_s; /* and when replacements join: they save, and stand still */
} StratRecoveryPlan;

/** Whose memory a policy brings state back from. */
typedef enum StratPeers {
    STRAT_PEERS_NONE,
    STRAT_PEERS_NODE,    /* nodes, which are sent copies for it */
    STRAT_PEERS_REPLICA, /* another replica, which holds the same anyway */
} StratPeers;

/** A policy: one row. */
typedef struct StratRecovery {
    const char *name;
    const char *source;
    StratAdaptation adaptation; /* in which it may go on */
    StratPeers peers;
    StratRecoveryPlan (*plan)(const StratRecoveryCase *failure);
} StratRecovery;

/** All rows. */
const StratRecovery *strat_recovery_all(size_t *count);

/** The row called @name (NULL: the first); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratRecovery *strat_recovery_by_name(const char *name, GError **error);

/** Chance that of @nodes nodes in groups of @copies, which hold copies of each other's state,
 *  @lost ones drawn by chance leave each group at least one. @copies divides @nodes. */
double strat_recovery_in_memory_chance(int64_t nodes, int64_t copies, int64_t lost);

/** The plan of those that go on: only the step at hand is lost, all stand still for a rejoin now
 * and when the replacements, which start and take their state from peers, are back. */
StratRecoveryPlan strat_recovery_go_on(const StratRecoveryCase *failure);

/** Whether @failure is one that an adapted job of two replicas or more can survive. */
bool strat_recovery_can_adapt(const StratRecoveryCase *failure);

StratRecoveryPlan strat_recovery_restart(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_hot_spare(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_in_memory(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_just_in_time(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_multi_level(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_migrate(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_drop_replica(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_peer_takeover(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_templates(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_morph(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_redundant_stage(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_uneven_tensor(const StratRecoveryCase *failure);

#endif
