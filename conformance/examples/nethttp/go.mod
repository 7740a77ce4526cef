module otp-example-nethttp

go 1.19
