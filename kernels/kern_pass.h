/** Seconds of kernels that only move memory: norms, activations, softmax, optimizer. */
#ifndef KERN_PASS_H
#define KERN_PASS_H

#include "kern_profile.h"

/** Seconds for @kernels launches that together read and write @bytes of HBM: each takes its launch,
 *  and the bytes flow at the device's bandwidth once there are many of them:
 *  launches * launch_s + (bytes + half_bytes) / (fraction * bandwidth), half_bytes per launch.
 *  0 when nothing is launched. A CPU has a form of its own, kern_host_pass.h. Pure. */
double kern_pass_s(const KernDevice *device, double bytes, int kernels);

/** The same for the pass that models/ calls @label: a CPU's loops differ in their arithmetic. */
double kern_pass_labelled_s(const KernDevice *device, const char *label, bool backward,
                            double bytes, int kernels);

#endif
