/** A small world of round numbers for tests: a GPT, a GPU of 100 SMs, 100 TFLOP/s and 1 TB/s, nodes
 *  of eight, wires without latency. Nothing in it is fitted, so no new fit moves a test. */
#ifndef TOY_WORLD_H
#define TOY_WORLD_H

#include "strat_train.h"

typedef struct ToyWorld {
    ModelSpec model;
    StratPlan plan;
    TopoCluster cluster;
    KernProfile profile;
} ToyWorld;

/** A GPT of 8 layers, 1024 wide; one GPU runs it in one microbatch, nothing overlapped. */
ToyWorld toy_world(void);

/** Makes the sizes of @plan fit each other: data-parallel replicas, microbatches per replica and
 *  the cluster's GPUs; several stages get 1F1B, with chunks interleaved. */
void toy_lay_out(ToyWorld *world, int64_t data, int64_t microbatches);

/** Wires on which every collective takes @base_s and @hop_s a step, and reaches @fraction of the
 *  rate: one protocol, no reducing switch, no copies. */
TopoProtocolFits toy_wires(double fraction, double base_s, double hop_s);

/** What prices @world on alpha-beta wires; borrows it. */
StratCosting toy_costing(const ToyWorld *world);

/** A network on which everything arrives at once. */
extern const TopoNet toy_free_net;

/** GPU-nanoseconds of all accounts of @result together. */
int64_t toy_ledger_sum(const StratTrainResult *result);

#endif
