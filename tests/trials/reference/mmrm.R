# Reference values for tests/trials/test_missing.py: gls() of nlme with an unstructured covariance, by REML.
# R 4.2.2, nlme 3.1-162. Run: Rscript mmrm.R
library(nlme)
d <- read.csv("mmrm.csv")
d <- d[!is.na(d$change), ]
d$visit <- factor(d$visit)
fit <- gls(change ~ 0 + visit + visit:treated + visit:base, data = d, method = "REML",
           correlation = corSymm(form = ~ as.integer(visit) | id), weights = varIdent(form = ~ 1 | visit),
           control = glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-10, msTol = 1e-12))
print(summary(fit)$tTable[c("visit1:treated", "visit2:treated", "visit3:treated", "visit4:treated"), ], digits = 10)
cat("logLik", format(as.numeric(logLik(fit)), digits = 12), "\n")
