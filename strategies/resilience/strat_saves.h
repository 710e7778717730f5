/** What checkpoints and restarts of a job take, from the storage and the networks that carry them.
 */
#ifndef STRAT_SAVES_H
#define STRAT_SAVES_H

#include "strat_peers.h"
#include "strat_recovery.h"
#include "strat_servers.h"
#include "strat_storage.h"

/** How a restart gets the weights, which many ranks need alike. */
typedef enum StratRestore {
    STRAT_RESTORE_ALL,       /* every rank reads its own */
    STRAT_RESTORE_BROADCAST, /* the first of a data group reads, and broadcasts */
    STRAT_RESTORE_GATHER,    /* each reads a part, and they gather */
} StratRestore;

/** What training waits for at a checkpoint. */
typedef enum StratSaveMode {
    STRAT_SAVE_ASYNC, /* until all is in host memory */
    STRAT_SAVE_SYNC,  /* until all is in storage */
} StratSaveMode;

/** When copies go to peers. */
typedef enum StratCopyMode {
    STRAT_COPY_IDLE,   /* in the idle time of the network; what does not fit stops training */
    STRAT_COPY_SHARED, /* at once, sharing the links with the step */
    STRAT_COPY_BLOCKING,
} StratCopyMode;

/** How a job saves. */
typedef struct StratSaving {
    StratStorage storage;
    int64_t servers; /* of it, on the compute network; 0: it is reached as @storage says alone */
    StratSaveMode mode;
    StratShare writers; /* of what the ranks of a data group hold alike; of copies as well */
    StratRestore restore;
    StratCopyMode copies;
} StratSaving;

/** The job. Borrowed. */
typedef struct StratSavedJob {
    const StratCosting *costing;
    const StratTrainResult *step; /* its memory and its transfers count */
    double step_s;                /* how long that takes */
    double copy_interval_s;       /* between copies to peers; 0: every step */
    int64_t copies;               /* of a node's state in memory, its own counted */
    StratPeers peers;             /* what the recovery policy wants of them */
} StratSavedJob;

/** What it comes to. */
typedef struct StratSaves {
    StratStorageRun write, read;
    double block_s;      /* in which a checkpoint stops training */
    double save_s;       /* until it is safe */
    double slowed_s;     /* by which steps beside the flush of one checkpoint are longer, in all */
    double hand_round_s; /* of weights that were read once */
    double load_s;       /* of a restart: reading, to the GPUs, round the data groups */
    double copy_bytes;   /* of the busiest node: what a copy to a peer has */
    double copy_s;       /* one round of copies to peers */
    double idle_s;       /* of the network between two rounds */
    double copy_block_s; /* that a round costs training */
    double peer_load_s;
    double host_bytes; /* of the busiest node's memory: what is on its way to storage, and copies */
} StratSaves;

/** Fills @saves. False and @error as strat_storage_run() and strat_train_simulate(). */
bool strat_saves_run(const StratSaving *saving, const StratSavedJob *job, StratSaves *saves,
                     GError **error);

#endif
