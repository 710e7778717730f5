/** What a plan keeps outside the GPU, and how long it takes to move it. */
#ifndef STRAT_STORES_H
#define STRAT_STORES_H

#include "topo_cluster.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum StratStore {
    STRAT_STORE_DEVICE, /* the GPU's memory */
    STRAT_STORE_HOST,   /* the node's DRAM */
    STRAT_STORE_DISK,   /* the node's disks, through its DRAM */
} StratStore;

/** Zeroed: everything stays on the GPU. */
typedef struct StratStores {
    double activations;        /* share of what each layer keeps that goes to the host */
    int64_t activation_layers; /* or this many of the model's layers, spread evenly */
    StratStore optimizer;      /* fp32 weights and moments, which the host's CPU then updates */
    StratStore parameters;     /* the weights that the GPU computes with, between their uses */
    int64_t tiles;             /* parts of a layer's weights at hand one after the other; 0: one */
    bool delayed_update;       /* the host's update is that of the step before, beside this one's */
} StratStores;

/** Whether anything of @offload leaves the GPU. */
bool strat_stores_any(const StratStores *offload);

/** Share of the kept activations of a model of @layers layers that the host has. */
double strat_stores_activations(const StratStores *offload, int64_t layers);

/** GPUs of @cluster that share a node's CPU, DRAM and disks. */
int64_t strat_stores_sharers(const TopoCluster *cluster);

/** Seconds of @bytes one way between a GPU and @store; disks are read (@up) or written at a GPU's
 *  share, and their transfers go on over the host link meanwhile. */
double strat_stores_move_s(const TopoCluster *cluster, StratStore store, double bytes, bool up);

/** Seconds in which a GPU's share of the host updates parameters, of which the CPU moves
 *  @cpu_bytes in DRAM, the disks (when @store says so) read and write @disk_bytes each, and
 *  @up_bytes go to the GPU: all at once. */
double strat_stores_update_s(const TopoCluster *cluster, StratStore store, double cpu_bytes,
                             double disk_bytes, double up_bytes);

#endif
