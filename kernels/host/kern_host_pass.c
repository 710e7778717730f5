/* Loops over memory on a CPU.
 *
 * A loop that moves b bytes takes b * u(b) seconds. u, the seconds per byte, is measured for each
 * family at a few sizes, from one that fits the first cache to one that fits none, and interpolated
 * between them, straight in log b. It holds both the arithmetic of the family (an exponential costs
 * more than an addition) and the cache that the bytes come from. Below the least size a loop costs
 * as much per byte as there, above the largest likewise.
 *
 * The bytes are those that the operation names, reads and writes together; what was just written by
 * the operation before is assumed to be where a loop that repeats finds its data. */
#include "kern_host_pass.h"

#include <glib.h>
#include <math.h>

static const struct {
    const char *label;
    KernHostPass pass;
} labels[] = {
    {"norm",                KERN_HOST_PASS_NORM      },
    {"query key norm",      KERN_HOST_PASS_NORM      },
    {"softmax",             KERN_HOST_PASS_SOFTMAX   },
    {"activation",          KERN_HOST_PASS_ACTIVATION},
    {"rotary",              KERN_HOST_PASS_ROTARY    },
    {"attention transpose", KERN_HOST_PASS_TRANSPOSE },
};

KernHostPass kern_host_pass_by_label(const char *label)
{
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (g_str_equal(labels[i].label, label))
            return labels[i].pass;
    return KERN_HOST_PASS_ADD;
}

const char *kern_host_pass_name(KernHostPass pass)
{
    static const char *const names[] = {
        [KERN_HOST_PASS_ADD] = "add",         [KERN_HOST_PASS_NORM] = "norm",
        [KERN_HOST_PASS_SOFTMAX] = "softmax", [KERN_HOST_PASS_ACTIVATION] = "activation",
        [KERN_HOST_PASS_ROTARY] = "rotary",   [KERN_HOST_PASS_TRANSPOSE] = "transpose",
    };
    _Static_assert(G_N_ELEMENTS(names) == KERN_HOST_PASS_COUNT, "a name for each family");
    return names[pass];
}

double kern_host_pass_s(const KernHostFit *host, KernHostPass pass, bool backward, double bytes)
{
    const double *seconds = backward ? host->pass[pass].backward_s : host->pass[pass].forward_s;
    const double *level = host->level_bytes;
    if (bytes <= level[0])
        return bytes * seconds[0];
    size_t i = 1;
    while (i < KERN_HOST_LEVELS && bytes > level[i])
        i++;
    if (i == KERN_HOST_LEVELS)
        return bytes * seconds[KERN_HOST_LEVELS - 1];
    double share = log(bytes / level[i - 1]) / log(level[i] / level[i - 1]);
    return bytes * (seconds[i - 1] + share * (seconds[i] - seconds[i - 1]));
}
