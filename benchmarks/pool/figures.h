// What pool_bench measured, and how it is told: a line of JSON or a table for each size, and how figures grow.
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
    std::string problem;                  // why there is no figure, or ""
    std::map<std::string, double> parts;  // figures that the program told itself
};

struct Figure {
    std::string name;
    std::vector<TimedSample> samples;

    std::vector<const TimedSample*> good() const;
    double median_s() const;  // of the good samples; 0 without any
};

struct SizeReport {
    int runs = 0;
    std::string pool;  // what the generator told, as JSON
    std::vector<Figure> figures;
};

std::string json_line(const SizeReport& report);
std::string table(const SizeReport& report);

// From each size to the next: the ratio of the medians, and the power of the size by which they grow.
std::string growth_json_line(const std::vector<SizeReport>& reports);
std::string growth_table(const std::vector<SizeReport>& reports);

}  // namespace cultivar
