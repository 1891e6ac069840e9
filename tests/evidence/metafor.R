# Reference values of tests/evidence/test_metafor.py. Rscript tests/evidence/metafor.R > tests/evidence/metafor.json
suppressPackageStartupMessages(library(metafor))

out <- list()
keep <- function(name, fit, ...) {
  z <- list(y = as.numeric(fit$beta)[1], se = as.numeric(fit$se)[1], low = as.numeric(fit$ci.lb)[1],
            high = as.numeric(fit$ci.ub)[1], tau2 = if (is.null(fit$tau2)) 0 else fit$tau2, q = fit$QE)
  out[[name]] <<- c(z, list(...))
}
number <- function(x) if (is.na(x)) "null" else format(x, digits = 12, scientific = FALSE, trim = TRUE)
show <- function(x) {
  if (is.list(x)) paste0("{", paste0('"', names(x), '": ', sapply(x, show), collapse = ", "), "}")
  else if (is.character(x)) paste0('"', x, '"')
  else if (length(x) > 1) paste0("[", paste(sapply(x, number), collapse = ", "), "]")
  else number(x)
}

rare <- data.frame(a = c(2, 3, 1, 4), n1 = c(1000, 1500, 800, 2000), c = c(0, 1, 0, 0), n2 = c(500, 500, 200, 600))
few <- data.frame(a = c(3, 2), n1 = c(100, 100), c = c(1, 0), n2 = c(100, 100))
for (set in c("rare", "few")) {
  d <- get(set)
  for (m in c("OR", "RR", "RD"))
    keep(paste0("MH ", m, " ", set), rma.mh(ai = a, n1i = n1, ci = c, n2i = n2, data = d, measure = m))
  keep(paste0("Peto ", set), rma.peto(ai = a, n1i = n1, ci = c, n2i = n2, data = d))
}
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
for (by in c("REML", "DL", "PM", "SJ"))
  keep(paste("BCG RR", by), rma(yi, vi, data = bcg, method = by, control = list(tol = 1e-12, threshold = 1e-12)))
keep("BCG RR 90", rma(yi, vi, data = bcg, test = "knha", level = 90))
for (test in c("z", "knha")) {
  fit <- rma(yi, vi, mods = ~ablat, data = bcg, test = test, control = list(threshold = 1e-12, maxiter = 1000))
  out[[paste("BCG ablat", test)]] <- list(
    b = as.numeric(fit$beta), se = as.numeric(fit$se), p = as.numeric(fit$pval), low = as.numeric(fit$ci.lb),
    high = as.numeric(fit$ci.ub), tau2 = fit$tau2, qe = fit$QE, r2 = fit$R2)
}
# rates: dat.nielweise2008, catheter infections per 1000 catheter days
rates <- escalc(measure = "IRR", x1i = x1i, t1i = t1i, x2i = x2i, t2i = t2i, data = dat.nielweise2008)
keep("rates", rma(yi, vi, data = rates), each = as.numeric(rates$yi), v = as.numeric(rates$vi))
out$rates_data <- list(x1 = dat.nielweise2008$x1i, t1 = dat.nielweise2008$t1i, x2 = dat.nielweise2008$x2i,
                       t2 = dat.nielweise2008$t2i)
# proportions of single groups: dat.debruin2009-like, as logits
p <- escalc(measure = "PLO", xi = c(3, 10, 0, 25), ni = c(40, 60, 12, 90))
keep("proportions", rma(yi, vi, data = p), each = as.numeric(p$yi), v = as.numeric(p$vi))
# a crossover's mean over two treatments and the rest: designs compared by Wald errors
one <- rma(c(1.00, 1.02, 0.98), sei = rep(.5, 3)); two <- rma(c(1.30, 1.32, 1.28), sei = rep(.5, 3))
between <- rma(c(coef(one), coef(two)), sei = c(one$se, two$se), method = "FE")
out$between <- list(q = between$QE, p = between$QEp)
# arms of one trial, with the covariance of their shared control group (sd 2 in all; 30, 30, 31 people)
v <- matrix(4 / 31, 2, 2) + diag(4 / 30, 2)
arms <- rma.mv(c(1, 2), v, method = "FE")
out$arms <- list(y = as.numeric(coef(arms)), se = arms$se)

out <- c(list(version = paste("metafor", packageVersion("metafor"), R.version.string)), out)
cat("{\n", paste0(' "', names(out), '": ', sapply(out, show), collapse = ",\n"), "\n}\n", sep = "")
