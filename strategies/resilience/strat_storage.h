/** Storage that checkpoints are written to and read from, and how long that takes. */
#ifndef STRAT_STORAGE_H
#define STRAT_STORAGE_H

#include <glib.h>
#include <stdbool.h>

/** A storage system and the network to it. Strings are borrowed. */
typedef struct StratStorage {
    const char *name, *source;
    double write_bytes_per_s, read_bytes_per_s; /* of the whole system */
    double write_fraction, read_fraction;       /* of these, that checkpoints reach */
    double node_link_bytes_per_s; /* of one node towards it; INFINITY: that never binds */
    double oversubscription;      /* rate of all nodes' links over what gets through at once */
    double latency_s;             /* before the first byte: opening a file */
    double host_copy_bytes_per_s; /* between a GPU and its host's memory */
} StratStorage;

typedef enum StratStorageWay {
    STRAT_STORAGE_WRITE, /* from GPUs to host memory, then to the storage */
    STRAT_STORAGE_READ,  /* and back */
} StratStorageWay;

/** What moving state took. */
typedef struct StratStorageRun {
    double bytes;
    double copy_s;     /* between GPUs and host memory, of the node that needs longest */
    double total_s;    /* until the last node is done with both */
    const char *bound; /* what held back the last node longest, in words */
} StratStorageRun;

/** Moves what @nodes (of StratStateNodes) say between all their GPUs and @storage at once, into
 *  @run. False and @error when a time is too long to tell. */
bool strat_storage_run(const StratStorage *storage, StratStorageWay way, const GArray *nodes,
                       StratStorageRun *run, GError **error);

#endif
