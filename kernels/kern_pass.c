/* Passes over HBM. The form is the usual latency plus bandwidth: a kernel that moves b bytes
 * reaches b / (b + half) of the asymptotic rate. Source of the form: Hockney's (r_inf, n_1/2)
 * characterisation (Hockney and Jesshope, Parallel Computers, 1981, section 1.3). */
#include "kern_pass.h"

#include "kern_host_pass.h"

double kern_pass_s(const KernDevice *device, double bytes, int kernels)
{
    const KernMemoryFit *fit = &device->profile->memory;
    if (kernels == 0)
        return 0.0;
    if (device->profile->host.threads > 0)
        return kern_host_pass_s(&device->profile->host, KERN_HOST_PASS_ADD, false, bytes);
    double bandwidth = device->gpu->memory_bytes_per_s * fit->fraction;
    return (double)kernels * (fit->launch_s + fit->half_bytes / bandwidth) + bytes / bandwidth;
}

double kern_pass_labelled_s(const KernDevice *device, const char *label, bool backward,
                            double bytes, int kernels)
{
    if (kernels == 0 || device->profile->host.threads == 0)
        return kern_pass_s(device, bytes, kernels);
    KernHostPass pass = kern_host_pass_by_label(label);
    return kern_host_pass_s(&device->profile->host, pass, backward, bytes);
}
