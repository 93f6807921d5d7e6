// The measurements of pool_bench and their output: a line of JSON or a table per size, and the growth of figures.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/pool/relay.h"
#include "benchmarks/synthetic/measured.h"

namespace cultivar {

struct TimedSample {
    Measured measured;
    Relay::Traffic traffic;
    std::string problem;                  // the reason for a missing figure, or ""
    std::map<std::string, double> parts;  // figures that the program printed itself
};

struct Figure {
    std::string name;
    std::vector<TimedSample> samples;

    std::vector<const TimedSample*> good() const;
    double median_s() const;  // median of the successful samples; 0 if there are none
};

struct SizeReport {
    int runs = 0;
    std::string pool;  // the generator's report, as JSON
    std::vector<Figure> figures;
};

std::string json_line(const SizeReport& report);
std::string table(const SizeReport& report);

// Returns, from each size to the next, the ratio of the medians and the power of the size by which they grow.
std::string growth_json_line(const std::vector<SizeReport>& reports);
std::string growth_table(const std::vector<SizeReport>& reports);

}  // namespace cultivar
