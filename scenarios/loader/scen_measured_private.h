/** Shared by the readers of scen_measured*.c. */
#ifndef SCEN_MEASURED_PRIVATE_H
#define SCEN_MEASURED_PRIVATE_H

#include "scen_csv.h"
#include "scen_measured.h"

/** One file on its way in. */
typedef struct ScenMeasuredReader {
    ScenMeasured *measured;
    ScenCsv *csv;
    ScenProfiled profiled;
    const char *path;
} ScenMeasuredReader;

/** Takes the row at hand; false and @error when it is wrong. */
typedef bool (*ScenMeasuredTake)(ScenMeasuredReader *reader, GError **error);

bool scen_measured_take_layer(ScenMeasuredReader *reader, GError **error);
bool scen_measured_take_mixed(ScenMeasuredReader *reader, GError **error);
bool scen_measured_take_vidur(ScenMeasuredReader *reader, GError **error);
bool scen_measured_take_vidur_attention(ScenMeasuredReader *reader, GError **error);

/** Reads the time in @column, in units of @unit_s; false and @error unless it is above 0. */
bool scen_measured_seconds(const ScenMeasuredReader *reader, int column, double unit_s,
                           double *seconds, GError **error);

/** Adds a product. */
void scen_measured_add_gemm(ScenMeasuredReader *reader, const KernGemmShape *shape, double seconds);

/** A causal call: @batch query and @kv_batch key/value heads of all sequences, with @before keys
 *  before the first of the @queries. */
typedef struct ScenMeasuredCall {
    int64_t sequences; /* of equal length; 0: not told */
    int64_t batch, kv_batch, before, queries, head_dim;
    TopoDtype dtype;
} ScenMeasuredCall;

void scen_measured_add_call(ScenMeasuredReader *reader, const ScenMeasuredCall *call,
                            double seconds);

#endif
