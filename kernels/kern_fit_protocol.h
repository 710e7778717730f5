/** Fits the coefficients of the protocols to measured collectives. */
#ifndef KERN_FIT_PROTOCOL_H
#define KERN_FIT_PROTOCOL_H

#include "kern_fit.h"
#include "topo_protocol.h"

/** A measured collective inside one domain. */
typedef struct KernProtocolRow {
    TopoCollectiveCall call;
    double seconds;
} KernProtocolRow;

/** Fits @fit to @rows, which are all of one operation, over wires of @bytes_per_s a rank;
 *  minimises the mean of |log(predicted / measured)|. Whether rows used a reducing switch is left
 *  to the choice. Deterministic. */
KernFitError kern_fit_protocol(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                               TopoProtocolFit *fit);

/** The error of the coefficients @fit on @rows, fitted or not. */
KernFitError kern_fit_protocol_error(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                     const TopoProtocolFit *fit);

#endif
