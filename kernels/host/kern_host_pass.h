/** Seconds of loops over memory on a CPU. */
#ifndef KERN_HOST_PASS_H
#define KERN_HOST_PASS_H

#include "kern_host_profile.h"

#include <stdbool.h>

/** The family of the operation that models/ calls @label; additions stand for unknown ones. */
KernHostPass kern_host_pass_by_label(const char *label);

/** Its name in profiles. */
const char *kern_host_pass_name(KernHostPass pass);

/** Seconds to read and write @bytes altogether. 0 for no bytes. Pure. */
double kern_host_pass_s(const KernHostFit *host, KernHostPass pass, bool backward, double bytes);

#endif
