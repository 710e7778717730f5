/** Fits the coefficients of the protocols to measured collectives. */
#ifndef KERN_FIT_PROTOCOL_H
#define KERN_FIT_PROTOCOL_H

#include "kern_fit.h"
#include "topo_protocol.h"
#include "topo_protocol_expert.h"

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

/** Natural logarithm of predicted / measured seconds of @row by the coefficients @fit. */
double kern_fit_protocol_log_ratio(double bytes_per_s, const TopoProtocolFit *fit,
                                   const KernProtocolRow *row);

/** Fills @log_ratios (one of each row) by coefficients that were fitted without the row: the
 *  distinct sizes take turns in @folds groups, and each group is predicted from the others. */
void kern_fit_protocol_held_out(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                size_t folds, double *log_ratios);

/** The error of the coefficients @fit on @rows, fitted or not. */
KernFitError kern_fit_protocol_error(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                     const TopoProtocolFit *fit);

/** A measured dispatch or combine. */
typedef struct KernExpertRow {
    TopoCollectiveCall call; /* its routing is borrowed */
    TopoCollectiveRates rates;
    double seconds;
} KernExpertRow;

/** Fits one direction of @fit, whose algorithm is given, to @rows, which all dispatch or all
 *  combine. The fraction between domains is searched only when a row crosses one. */
KernFitError kern_fit_expert(const KernExpertRow *rows, size_t count, TopoExpertFit *fit);

/** The error of the coefficients @fit on @rows, fitted or not. */
KernFitError kern_fit_expert_error(const KernExpertRow *rows, size_t count,
                                   const TopoExpertFit *fit);

#endif
