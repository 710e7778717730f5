/** How replicas of a data-parallel plan come to agree: knobs of a plan, and the tables behind them.
 *  With all of them zero, all replicas sum whole gradients together after every step. */
#ifndef STRAT_DATA_PARALLEL_H
#define STRAT_DATA_PARALLEL_H

#include "topo_cluster.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** What gradients are reduced in, under the backward. */
typedef struct StratBuckets {
    double bytes;       /* of one bucket; 0: up to eight pieces a chunk, each of whole layers */
    double parameters;  /* of one bucket, instead of bytes; 0: none are said */
    double first_bytes; /* of the bucket that is full first; 0: as the others */
    bool copied;        /* buckets are copies of the gradients, not views of them */
} StratBuckets;

/** Fewer bytes for the same gradients. */
typedef struct StratCompression {
    const char *kind; /* a row of strat_compressor_all(); NULL: none */
    double density;   /* top-k: of the gradients that are sent */
    int64_t rank;     /* powersgd */
} StratCompression;

/** Parameter servers. */
typedef struct StratServers {
    int64_t count;      /* of machines that serve */
    double bytes_per_s; /* of one, each direction; 0: all NICs of a node */
    bool colocated;     /* servers are processes on the nodes of the workers */
    bool pipelined;     /* parts of a tensor are pulled while others are pushed */
    bool local_reduce;  /* GPUs of a scale-up domain sum among themselves and are one worker */
    bool unbounded;     /* asynchronous: nobody waits */
    int64_t staleness;  /* steps that a worker may be ahead of the slowest; 0: synchronous */
    double variation;   /* of a worker's step: standard deviation over the mean */
    int64_t updates;    /* simulated, of each worker; 0: STRAT_PUSH_UPDATES */
} StratServers;

/** Local SGD: islands that train by themselves and average what they learnt now and then. */
typedef struct StratIslands {
    int64_t count;       /* 0 or 1: none */
    int64_t inner_steps; /* between two exchanges of the same parameters */
    int64_t fragments;   /* parts of the model, exchanged in turn */
    double bytes_per_s;  /* out of one island, and into it */
    double latency_s;    /* one way between two */
    double hidden_steps; /* inner steps that an exchange may take before anybody waits */
    TopoDtype outer;     /* type in which differences are sent */
    bool offload;        /* the outer optimizer's state is in host memory */
} StratIslands;

typedef struct StratDataParallel {
    const char *exchange; /* a row of strat_agree_all(); NULL: all-reduce */
    StratBuckets buckets;
    StratCompression compression;
    StratServers servers;
    StratIslands islands;
} StratDataParallel;

/** A way to compress gradients. Bytes of a parameter: on the wire, and read or written in memory
 *  before and after; @vectors: rows and columns of weight matrices, for a parameter of them. */
typedef struct StratCompressor {
    const char *name;
    const char *source;
    bool gathers;     /* parts cannot be summed on the way: every rank gets all of them */
    bool keeps_error; /* what was not sent is added to the next step's: 4 bytes a parameter */
    double (*wire)(const StratCompression *how, double vectors);
    double (*before)(const StratCompression *how, double vectors);
    double (*after)(const StratCompression *how, double vectors);
} StratCompressor;

/** All rows; @count receives how many. The first compresses nothing. */
const StratCompressor *strat_compressor_all(size_t *count);

/** The row called @name, the first for NULL. NULL and @error when there is none. */
const StratCompressor *strat_compressor_by_name(const char *name, GError **error);

/** Replicas of @dp that agree with each other every step: @all of them, or those of one island. */
int64_t strat_data_inner(const StratDataParallel *dp, int64_t all);

/** Bytes of a bucket of gradients of @gradient_bytes each; 0: buckets have no size. */
double strat_bucket_bytes(const StratBuckets *buckets, double gradient_bytes);

/** Whether @dp leaves everything but the size of buckets as it is by default. */
bool strat_data_is_plain(const StratDataParallel *dp);

/** Whether servers keep the optimizer. */
bool strat_data_is_served(const StratDataParallel *dp);

/** Whether replicas do not meet in the step: servers that are asked at any time (strat_push.c),
 *  or whose workers differ. */
bool strat_data_is_apart(const StratDataParallel *dp);

#endif
