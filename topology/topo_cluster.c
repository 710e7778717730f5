/* Sizes of the number formats; everything else of a cluster is read from the catalog. */
#include "topo_cluster.h"

double topo_dtype_bytes(TopoDtype dtype)
{
    static const double bytes[TOPO_DTYPE_COUNT] = {
        [TOPO_DTYPE_FP32] = 4.0, [TOPO_DTYPE_TF32] = 4.0, [TOPO_DTYPE_FP16] = 2.0,
        [TOPO_DTYPE_BF16] = 2.0, [TOPO_DTYPE_FP8] = 1.0,  [TOPO_DTYPE_FP4] = 0.5,
    };
    return bytes[dtype];
}
