/** Recovery policies: what a job does when something of it has died. */
#ifndef STRAT_RECOVERY_H
#define STRAT_RECOVERY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** A failure, as a policy sees it. */
typedef struct StratRecoveryCase {
    int64_t nodes;         /* of the job */
    int64_t nodes_lost;    /* with their memory: in this failure and in recoveries it interrupts */
    int64_t copies;        /* of the state in memory of peers, its own counted; a node's groups */
    int64_t replicas;      /* of data parallelism; 1: none */
    int64_t replicas_lost; /* this one not counted */
    int64_t most_lost;     /* replicas that may be missing */
    bool spare_is_free;    /* enough spare nodes stand by */
    double chance;         /* uniform on [0, 1): the luck of this failure */
    double restart_s;      /* starting processes and communicators anew */
    double warm_restart_s; /* the same where spares are set up already */
    double load_s;         /* of a checkpoint from storage */
    double peer_load_s;    /* of state from peers */
    double save_s;         /* a blocking checkpoint */
} StratRecoveryCase;

/** What of the work is lost. */
typedef enum StratRecoveryLoss {
    STRAT_LOSS_TO_CHECKPOINT, /* all since the last checkpoint in storage */
    STRAT_LOSS_TO_MEMORY,     /* all since the last copy in memory of peers */
    STRAT_LOSS_TO_STEP,       /* the step at hand */
} StratRecoveryLoss;

/** What it decides. */
typedef struct StratRecoveryPlan {
    StratRecoveryLoss loss;
    bool goes_on;     /* without a replica; the rest is what that one needs to come back */
    double save_s;    /* before anything else: survivors save */
    double restart_s; /* once replacements are there */
    double load_s;
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

StratRecoveryPlan strat_recovery_restart(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_hot_spare(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_in_memory(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_just_in_time(const StratRecoveryCase *failure);
StratRecoveryPlan strat_recovery_drop_replica(const StratRecoveryCase *failure);

#endif
