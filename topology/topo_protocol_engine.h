/** All-reduces that a serving engine brings itself, and when it leaves them to the collective
 *  library. See topo_protocol_engine.c. */
#ifndef TOPO_PROTOCOL_ENGINE_H
#define TOPO_PROTOCOL_ENGINE_H

#include "topo_protocol.h"

/** Who runs an all-reduce. */
typedef enum TopoEngineKernel {
    TOPO_ENGINE_ONE_SHOT,      /* each rank reads all tensors where they lie */
    TOPO_ENGINE_TWO_SHOT,      /* likewise by parts, then everybody reads the sums */
    TOPO_ENGINE_STAGED,        /* two shots in a shared buffer: the tensor is copied in and out */
    TOPO_ENGINE_STAGED_SWITCH, /* in that buffer too, and the switch reduces */
    TOPO_ENGINE_KERNELS,
    TOPO_ENGINE_LIBRARY = TOPO_ENGINE_KERNELS
} TopoEngineKernel;

/** Group sizes that engines have kernels for: 2, 4, 6 and 8. */
enum { TOPO_ENGINE_SIZES = 4 };

/** One kernel, as fitted to measurements. */
typedef struct TopoEngineTerm {
    double base_s;
    double peer_s;   /* each other rank: barriers are flags in everybody's memory */
    double fraction; /* of the wire's rate that payload reaches; 0: the kernel is not there */
    double host_s;   /* a call that no graph has captured takes the host as long */
} TopoEngineTerm;

/** Tensors that each kernel takes, tried in this order; 0: none. What is left is the library's. */
typedef struct TopoEngineLimits {
    double one_shot_below_bytes;
    double two_shot_below_bytes;
    double staged_to_bytes; /* inclusive */
    bool staged_in_switch;
} TopoEngineLimits;

/** An engine on a GPU. Strings are borrowed. */
typedef struct TopoEngineFit {
    const char *name;
    const char *source;
    TopoEngineTerm kernel[TOPO_ENGINE_KERNELS];
    TopoEngineLimits limits[TOPO_ENGINE_SIZES];
    double eager_copy_fraction; /* time of the copy that a call outside a graph makes of its tensor,
                                   of what the wire would take; the library's calls too */
    int64_t rows;               /* that were fitted, and their median error */
    double median_error_fraction;
    int64_t large_rows; /* of those, from 64 kB to 1 GB; their median and 90 % error */
    double large_median_error_fraction;
    double large_p90_error_fraction;
} TopoEngineFit;

/** What the engine would run. */
typedef struct TopoEngineChoice {
    TopoEngineKernel kernel;
    const TopoAlgorithm *algorithm;
    double seconds;
} TopoEngineChoice;

/** Ranks of size @index. */
uint32_t topo_engine_ranks(int index);

/** "one_shot" and so on; "library". */
const char *topo_engine_kernel_name(TopoEngineKernel kernel);

/** Who runs @call: never an own kernel across domains, or for another operation. */
TopoEngineKernel topo_engine_kernel(const TopoEngineFit *fit, const TopoCollectiveCall *call);

/** What the engine runs for @call and how long it takes alone; @captured: as part of a CUDA graph.
 *  Errors: as topo_protocol_choose(); a kernel that the fit has no figures of. */
bool topo_protocol_engine(const TopoEngineFit *fit, const TopoCollectiveCall *call,
                          const TopoProtocolWires *wires, bool captured, TopoEngineChoice *choice,
                          GError **error);

#endif
