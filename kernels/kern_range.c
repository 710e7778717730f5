/* How far a fit is trusted. A form is fitted over decades of sizes and bends little within a factor
 * of two, so that much is still called fitted; beyond it the answer is an extrapolation, and said
 * to be one. */
#include "kern_range.h"

enum { FAR = 2 };

void kern_range_add(KernRange *range, int64_t size)
{
    if (range->to == 0 || size < range->from)
        range->from = size;
    if (size > range->to)
        range->to = size;
}

bool kern_range_is_far(const KernRange *range, int64_t size)
{
    return range->to > 0 && (size * FAR < range->from || size > range->to * FAR);
}
