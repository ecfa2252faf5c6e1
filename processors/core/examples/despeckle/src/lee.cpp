// Lee's filter against multiplicative speckle, on one chunk with its halo.
//
// Source: J.-S. Lee, "Digital image enhancement and noise filtering by use of local statistics",
// IEEE Transactions on Pattern Analysis and Machine Intelligence 2 (2), 1980.

#include <cmath>
#include <limits>
#include <stdexcept>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace nb = nanobind;

// A step gets read-only views of larger arrays: constant, with strides of their own.
using Image = nb::ndarray<const float, nb::ndim<2>, nb::device::cpu>;
using Result = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// Filters all pixels that are at least `radius` from the edge; the others become NaN.
static void lee(Image image, Result result, int radius, double looks) {
    const int64_t rows = image.shape(0), columns = image.shape(1);
    if (result.shape(0) != image.shape(0) || result.shape(1) != image.shape(1) || radius < 0 || looks <= 0)
        throw std::invalid_argument("image and result have one shape, radius is 0 or more, looks are more than 0");
    const int64_t down = image.stride(0), across = image.stride(1);
    const float *pixels = image.data();
    float *filtered = result.data();
    const double noise = 1.0 / looks;

    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t column = 0; column < columns; ++column) {
            float &out = filtered[row * columns + column];
            out = std::numeric_limits<float>::quiet_NaN();
            if (row < radius || row >= rows - radius || column < radius || column >= columns - radius) continue;
            double sum = 0.0, squares = 0.0, count = 0.0;
            for (int64_t i = row - radius; i <= row + radius; ++i) {
                for (int64_t j = column - radius; j <= column + radius; ++j) {
                    const double value = pixels[i * down + j * across];
                    if (std::isnan(value)) continue;  // nobody measured there
                    sum += value;
                    squares += value * value;
                    count += 1.0;
                }
            }
            const double mean = sum / count;
            const double variance = squares / count - mean * mean;
            const double speckle = noise * mean * mean;
            double weight = (variance - speckle) / (variance * (1.0 + noise));
            if (!(weight > 0.0)) weight = 0.0;  // also where the variance is 0
            out = static_cast<float>(mean + weight * (pixels[row * down + column * across] - mean));
        }
    }
}

NB_MODULE(_lee, module) {
    // The guard gives Python's lock back while the loop runs: as many chunks are in work as there are threads.
    module.def("lee", &lee, nb::arg("image"), nb::arg("result"), nb::arg("radius"), nb::arg("looks"),
               nb::call_guard<nb::gil_scoped_release>());
}
