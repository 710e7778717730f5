/** Fits the kernels that a serving engine brings to measured all-reduces. */
#ifndef KERN_FIT_ENGINE_H
#define KERN_FIT_ENGINE_H

#include "kern_fit.h"
#include "topo_protocol_engine.h"

/** A measured all-reduce of an engine. */
typedef struct KernEngineRow {
    TopoCollectiveCall call;
    bool captured; /* in a CUDA graph */
    double seconds;
} KernEngineRow;

/** Fits the kernels of @fit, whose limits are given, to @rows over @wires, and returns the error
 *  over all of them, those that the library runs included. Kernels without rows get no figures.
 *  Deterministic. */
KernFitError kern_fit_engine(const TopoProtocolWires *wires, const KernEngineRow *rows,
                             size_t count, TopoEngineFit *fit);

/** Natural logarithm of predicted / measured seconds of @row. */
double kern_fit_engine_log_ratio(const TopoProtocolWires *wires, const TopoEngineFit *fit,
                                 const KernEngineRow *row);

#endif
