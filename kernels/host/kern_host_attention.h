/** Seconds of attention on a CPU. */
#ifndef KERN_HOST_ATTENTION_H
#define KERN_HOST_ATTENTION_H

#include "kern_attention.h"

/** Seconds of the forward or the backward of @shape. Pure. */
double kern_host_attention_s(const KernHostFit *host, const KernAttentionShape *shape,
                             bool backward);

#endif
