/* Serving engines' own all-reduces.
 *
 * Decoding reduces tensors of a few kB to a few MB, where the library's protocols cost more than
 * the bytes. Engines therefore reduce small tensors with kernels that read the other ranks' memory
 * over NVLink (topo_collective_shot.c), larger ones in a buffer that all ranks map (the tensor is
 * copied in, reduced by two shots or by the switch, and copied out), and leave the rest to the
 * library. With x bytes through the busiest port (topo_collective.c),
 *
 *   time = base + (n-1) * peer + x / (f * rate)                                          [s]
 *
 * inside a captured graph. Outside one the tensor is copied first and the host has to keep up:
 *
 *   time = max(host, the above + c * tensor / rate)                                      [s]
 *
 * The limits between the kernels are the engine's own tables and not what would be fastest: vLLM,
 * csrc/custom_all_reduce.cuh (one shot for 2 ranks always, for 4 below 512 kB, for 8 below 256 kB)
 * and vllm/distributed/device_communicators/all_reduce_utils.py (own kernels and shared buffer, by
 * compute capability and ranks; 8 MB at most for the former).
 *
 * Left out: fused all-reduce and normalisation, quantised all-reduces, NCCL's own symmetric memory
 * (off by default), groups of other sizes than 2, 4, 6 and 8, which go to the library. */
#include "topo_protocol_engine.h"

#include <math.h>

static const uint32_t sizes[TOPO_ENGINE_SIZES] = {2, 4, 6, 8};

static const struct {
    const char *name, *algorithm;
} kernels[] = {
    [TOPO_ENGINE_ONE_SHOT] = {"one_shot",      "one-shot"},
    [TOPO_ENGINE_TWO_SHOT] = {"two_shot",      "two-shot"},
    [TOPO_ENGINE_STAGED] = {"staged",        "two-shot"},
    [TOPO_ENGINE_STAGED_SWITCH] = {"staged_switch", "nvls"    },
    [TOPO_ENGINE_LIBRARY] = {"library",       NULL      },
};

uint32_t topo_engine_ranks(int index)
{
    return sizes[index];
}

const char *topo_engine_kernel_name(TopoEngineKernel kernel)
{
    return kernels[kernel].name;
}

TopoEngineKernel topo_engine_kernel(const TopoEngineFit *fit, const TopoCollectiveCall *call)
{
    if (call->op != TOPO_OP_ALL_REDUCE || call->ranks > call->ranks_per_domain)
        return TOPO_ENGINE_LIBRARY;
    for (size_t i = 0; i < TOPO_ENGINE_SIZES; i++) {
        const TopoEngineLimits *limits = &fit->limits[i];
        if (sizes[i] != call->ranks)
            continue;
        if (call->bytes < limits->one_shot_below_bytes)
            return TOPO_ENGINE_ONE_SHOT;
        if (call->bytes < limits->two_shot_below_bytes)
            return TOPO_ENGINE_TWO_SHOT;
        if (call->bytes <= limits->staged_to_bytes)
            return limits->staged_in_switch ? TOPO_ENGINE_STAGED_SWITCH : TOPO_ENGINE_STAGED;
    }
    return TOPO_ENGINE_LIBRARY;
}

/* The own kernel of @choice. */
static bool run_own(const TopoEngineFit *fit, const TopoCollectiveCall *call,
                    const TopoProtocolWires *wires, TopoEngineChoice *choice, GError **error)
{
    const TopoEngineTerm *term = &fit->kernel[choice->kernel];
    TopoCollectiveCost cost;
    choice->algorithm = topo_collective_by_name(kernels[choice->kernel].algorithm, error);
    if (!choice->algorithm || !topo_collective_cost(choice->algorithm, call, &cost, error))
        return false;
    if (term->fraction <= 0.0) {
        g_set_error(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_NOT_APPLICABLE,
                    "the engine '%s' has no figures of its kernel %s", fit->name,
                    kernels[choice->kernel].name);
        return false;
    }
    choice->seconds = term->base_s + (call->ranks - 1.0) * term->peer_s +
                      cost.inside_bytes / (term->fraction * wires->inside_bytes_per_s);
    return true;
}

static bool run_library(const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                        TopoEngineChoice *choice, GError **error)
{
    TopoProtocolChoice library;
    if (!topo_protocol_choose(call, wires, &library, error))
        return false;
    choice->algorithm = library.algorithm;
    choice->seconds = library.seconds;
    return true;
}

bool topo_protocol_engine(const TopoEngineFit *fit, const TopoCollectiveCall *call,
                          const TopoProtocolWires *wires, bool captured, TopoEngineChoice *choice,
                          GError **error)
{
    *choice = (TopoEngineChoice){.kernel = topo_engine_kernel(fit, call)};
    bool own = choice->kernel != TOPO_ENGINE_LIBRARY;
    if (own ? !run_own(fit, call, wires, choice, error) : !run_library(call, wires, choice, error))
        return false;
    if (captured)
        return true;
    choice->seconds += fit->eager_copy_fraction * call->bytes / wires->inside_bytes_per_s;
    if (own)
        choice->seconds = fmax(choice->seconds, fit->kernel[choice->kernel].host_s);
    return true;
}
