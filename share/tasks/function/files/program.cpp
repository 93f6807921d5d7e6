// The flags of this program are tuned: it sums over a table, as simulations do, and appends its processor seconds to a file.
#include <cstdio>
#include <ctime>
#include <vector>

static double energy(const std::vector<float>& x, const std::vector<float>& y) {
    float sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float apart = x[i] - y[i];
        sum += apart * apart / (1.0F + x[i] * x[i]);
    }
    return sum;
}

int main(int, char** words) {
    std::vector<float> x(4096), y(4096);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17), y[i] = static_cast<float>(i % 23);
    double total = 0;
    for (int round = 0; round < 6000; ++round) {
        x[static_cast<std::size_t>(round) % x.size()] += 1.0F;
        total += energy(x, y);
    }
    std::FILE* file = std::fopen(words[1], "a");
    if (file == nullptr) return 1;
    std::fprintf(file, "%.6f\n", static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
    std::fclose(file);
    return total > 0 ? 0 : 2;
}
